// The kernel's news of flows that have ended: DESTROY events of one network namespace (NFNLGRP_CONNTRACK_DESTROY).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "headgate/flow.h"
#include "headgate/result.h"

#include "netlink/messages.h"
#include "netlink/network_namespace.h"
#include "netlink/socket.h"

namespace headgate::conntrack {

/// Whose ends of flows are told. What headgate's own flushes end is never among them: a flush knows it better.
struct WantedEnds {
    bool by_kernel = true;  ///< nlmsg_pid 0: time-outs, the protocol's end, a full table
    bool by_others = true;  ///< deleted by programs other than headgate

    friend bool operator==(const WantedEnds&, const WantedEnds&) = default;
};

/// Events as they came, copied out of the socket so that it has room again.
class EventBlock {
  public:
    static constexpr std::size_t kCapacity = 64 * 1024;

    explicit EventBlock(Timestamp received_at) : received_at_(received_at) {}

    /// One message, its header included.
    void append(netlink::Bytes event) {
        bytes_.insert(bytes_.end(), event.begin(), event.end());
        ++count_;
    }

    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.size(); }
    /// What it takes, with the room that is not used so far.
    [[nodiscard]] std::size_t memory() const noexcept { return sizeof *this + bytes_.capacity(); }
    [[nodiscard]] Timestamp received_at() const noexcept { return received_at_; }

    /// The messages, one after the other.
    [[nodiscard]] netlink::MessageReader messages() const noexcept { return netlink::MessageReader{bytes_}; }

  private:
    std::vector<std::byte> bytes_;
    std::size_t count_ = 0;
    Timestamp received_at_;
};

/// Not thread-safe.
class EndEvents {
  public:
    /// From now on events wait to be received. Needs CAP_NET_ADMIN.
    [[nodiscard]] static Result<EndEvents> open(const netlink::NetworkNamespace& where, WantedEnds wanted);

    ~EndEvents();
    EndEvents(EndEvents&& other) noexcept;
    EndEvents& operator=(EndEvents&& other) noexcept;

    /// For poll(2).
    [[nodiscard]] int fd() const noexcept { return socket_.fd(); }

    /// Changes what is told, from the next event on.
    [[nodiscard]] Result<void> want(WantedEnds wanted);

    /// No event is added to those that wait already.
    void stop_listening() noexcept;

    /// What waits, or as much of it as fits a block; null: nothing waits.
    [[nodiscard]] Result<std::unique_ptr<EventBlock>> receive();

    /// How many events the kernel threw away since this was last asked, for want of room in the socket: exactly
    /// (sk_drops, read by SO_MEMINFO; af_netlink.c, netlink_overrun).
    [[nodiscard]] std::uint64_t take_losses();

  private:
    struct Slots;
    EndEvents(netlink::Socket socket, std::unique_ptr<Slots> slots);

    netlink::Socket socket_;
    std::unique_ptr<Slots> slots_;
    std::uint32_t drops_told_ = 0;
};

}  // namespace headgate::conntrack
