// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/destroy_listener.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>

#include "headgate/clock.h"

#include "files/file_descriptor.h"
#include "flowlog/port_owner.h"
#include "threads/start_thread.h"

namespace headgate::flowlog {
namespace {

using namespace std::chrono_literals;
using SteadyTime = std::chrono::steady_clock::time_point;

/// Losses come in bursts, so they are reported together, at most once per interval.
constexpr auto kBetweenLosses = 1s;
/// When many flows end, events are gathered for this long: a wake-up for every few events would cost this thread and
/// the process that deletes the flows more than everything else. The socket buffer holds a hundred times as many.
constexpr std::size_t kMany = 16;
constexpr auto kGathering = 2ms;
/// A port is assumed to belong to the same process for this long after its last event.
constexpr auto kOwnerStays = 10s;

/// Remembers the process behind a port ID: it may exit while its events are still arriving.
class OwnerMemory {
  public:
    explicit OwnerMemory(std::uint64_t namespace_inode) : namespace_inode_(namespace_inode) {}

    PortOwners owners_in(const conntrack::EventBlock& events) {
        PortOwners owners;
        std::uint32_t last = 0;
        netlink::Message message;
        for (auto reader = events.messages(); reader.next(message);) {
            const auto port_id = message.header.nlmsg_pid;
            if (port_id == 0 || port_id == std::exchange(last, port_id)) continue;
            owners.try_emplace(port_id, owner_of(port_id));
        }
        return owners;
    }

  private:
    struct Known {
        std::shared_ptr<const ExternalDelete> owner;
        SteadyTime seen_at;
    };

    std::shared_ptr<const ExternalDelete> owner_of(std::uint32_t port_id) {
        const auto now = std::chrono::steady_clock::now();
        std::erase_if(known_, [&](const auto& each) { return each.second.seen_at + kOwnerStays < now; });
        auto& known = known_[port_id];
        if (!known.owner) {
            known.owner = std::make_shared<const ExternalDelete>(
                ExternalDelete{port_id, owner_of_port(port_id, namespace_inode_)});
        }
        known.seen_at = now;
        return known.owner;
    }

    std::uint64_t namespace_inode_;
    std::map<std::uint32_t, Known> known_;
};

}  // namespace

class DestroyListener::Thread {
  public:
    Thread(conntrack::DestroyEvents events, FileDescriptor wake, std::uint64_t namespace_inode,
           WatchedEndpoints endpoints, conntrack::WantedEnds wanted, FlowLog& log)
        : events_(std::move(events)),
          wake_(std::move(wake)),
          owners_(namespace_inode),
          log_(log),
          orders_{std::make_shared<const WatchedEndpoints>(std::move(endpoints)), wanted},
          heard_until_(kSystemClock.now()) {}

    [[nodiscard]] Result<void> start() {
        ASSIGN_OR_RETURN(auto started, start_thread(
                                           "listening to the ends of flows", [this] { run(); }, [](const Error&) {}));
        thread_ = std::move(started);
        return {};
    }

    ~Thread() {
        post([](Orders& orders) { orders.stop = true; });
        if (thread_.joinable()) thread_.join();
    }
    Thread(const Thread&) = delete;
    Thread& operator=(const Thread&) = delete;

    void change(WatchedEndpoints endpoints, conntrack::WantedEnds wanted) {
        post([&](Orders& orders) {
            orders.endpoints = std::make_shared<const WatchedEndpoints>(std::move(endpoints));
            orders.wanted = wanted;
        });
    }

  private:
    /// What other threads request of this one.
    struct Orders {
        std::shared_ptr<const WatchedEndpoints> endpoints;
        conntrack::WantedEnds wanted;
        bool stop = false;
    };

    template <typename Change>
    void post(const Change& change) {
        {
            const std::lock_guard lock{mutex_};
            change(orders_);
        }
        static_cast<void>(::eventfd_write(wake_.get(), 1));
    }

    [[nodiscard]] Orders orders() {
        const std::lock_guard lock{mutex_};
        return orders_;
    }

    void run() {
        for (auto before = orders();;) {
            if (many_end_) {
                std::this_thread::sleep_for(kGathering);
            } else {
                wait();
            }
            auto now = orders();
            if (now.stop) events_.stop_listening();
            if (now.wanted != before.wanted && !events_.want(now.wanted)) now.wanted = before.wanted;
            const auto brought = guarded([&] {
                bring_events(now.endpoints);
                bring_losses(now);
            });
            if (!brought) lose_block();
            if (now.stop) return;
            before = std::move(now);
        }
    }

    /// Allocation failed for the events that were received: count them as lost.
    void lose_block() {
        lost_ += std::exchange(in_hand_, 0);
        std::this_thread::sleep_for(kBetweenLosses);
    }

    /// Blocks until events arrive, another thread writes to the eventfd, or losses are due to be reported.
    void wait() {
        std::array<pollfd, 2> on{{{events_.fd(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
        const int at_most = lost_ == 0 ? -1 : static_cast<int>(std::chrono::milliseconds{kBetweenLosses}.count());
        if (::poll(on.data(), on.size(), at_most) <= 0) return;
        eventfd_t calls = 0;
        if ((on[1].revents & POLLIN) != 0) static_cast<void>(::eventfd_read(wake_.get(), &calls));
    }

    void bring_events(const std::shared_ptr<const WatchedEndpoints>& endpoints) {
        for (std::size_t count = 0;;) {
            auto block = events_.receive();
            if (!block || !*block) {
                many_end_ = count >= kMany;
                return;
            }
            in_hand_ = (*block)->count();
            count += in_hand_;
            if (lost_ == 0) heard_until_ = (*block)->received_at();
            auto owners = owners_.owners_in(**block);
            log_.enqueue(ReceivedEvents{std::move(*block), endpoints, std::move(owners)});
            in_hand_ = 0;
            lost_ += events_.new_losses();
        }
    }

    void bring_losses(const Orders& orders) {
        lost_ += events_.new_losses();
        const auto steady_now = std::chrono::steady_clock::now();
        if (lost_ == 0 || (!orders.stop && steady_now < losses_reported_ + kBetweenLosses)) return;
        const auto& endpoints = *orders.endpoints;
        const auto until = kSystemClock.now();
        log_.enqueue(LostFlows{endpoints.size() == 1 ? endpoints.front().endpoint : nullptr, lost_, heard_until_, until,
                               "events came faster than they could be received"});
        lost_ = 0;
        heard_until_ = until;
        losses_reported_ = steady_now;
    }

    conntrack::DestroyEvents events_;
    FileDescriptor wake_;
    OwnerMemory owners_;
    FlowLog& log_;

    std::mutex mutex_;
    Orders orders_;  ///< guarded by `mutex_`

    bool many_end_ = false;      ///< so many that more are expected at once
    std::uint64_t lost_ = 0;     ///< events not reported yet
    Timestamp heard_until_;      ///< nothing was lost up to this time
    std::uint64_t in_hand_ = 0;  ///< events received and not passed to the log yet
    SteadyTime losses_reported_{};
    std::jthread thread_;
};

DestroyListener::DestroyListener(std::unique_ptr<Thread> thread) : thread_(std::move(thread)) {}
DestroyListener::~DestroyListener() = default;

Result<std::unique_ptr<DestroyListener>> DestroyListener::start(const netlink::NetworkNamespace& where,
                                                                WatchedEndpoints endpoints,
                                                                conntrack::WantedEnds wanted, FlowLog& log) {
    auto events = conntrack::DestroyEvents::open(where, wanted);
    if (!events) return tl::unexpected(std::move(events.error()).within("listening to the ends of flows"));
    ASSIGN_OR_RETURN(const auto id, where.id());
    FileDescriptor wake{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (!wake.is_open()) return system_error(errno, "opening an eventfd");
    auto thread =
        std::make_unique<Thread>(std::move(*events), std::move(wake), id.inode, std::move(endpoints), wanted, log);
    RETURN_IF_ERROR(thread->start());
    return std::unique_ptr<DestroyListener>{new DestroyListener{std::move(thread)}};
}

void DestroyListener::change(WatchedEndpoints endpoints, conntrack::WantedEnds wanted) {
    thread_->change(std::move(endpoints), wanted);
}

}  // namespace headgate::flowlog
