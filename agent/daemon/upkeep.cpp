// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/upkeep.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/destroy_listeners.h"
#include "daemon/log.h"
#include "threads/start_thread.h"

namespace headgate::daemon {
namespace {

using namespace std::chrono_literals;

/// Retry interval for endpoints that are unreachable.
constexpr auto kRetryInterval = 30s;
/// Delay from the name of a namespace to its mount: `ip netns add` creates the file before it mounts the namespace.
constexpr auto kSettlingTime = 300ms;
constexpr const char* kNamespaces = "/run/netns";

}  // namespace

Result<std::unique_ptr<Upkeep>> Upkeep::open(gateway::LocalGateway& gateway, http::Metrics& metrics,
                                             std::function<void()> on_failure) {
    ASSIGN_OR_RETURN(auto loop, EventLoop::open());
    return std::unique_ptr<Upkeep>{new Upkeep{std::move(loop), gateway, metrics, std::move(on_failure)}};
}

Result<void> Upkeep::start() {
    guard_endpoints();
    watch_namespaces();
    const auto fail = [this](const Error& fault) {
        on_failure_();
        log_fault(fault);
    };
    ASSIGN_OR_RETURN(auto thread, start_thread(
                                      "the upkeep of endpoints", [this] { run(); }, fail));
    thread_ = std::move(thread);
    return {};
}

void Upkeep::run() {
    const auto ran = loop_->run();
    if (ran) return;
    on_failure_();
    log_error("endpoints are no longer maintained: {}", ran.error().message);
}

Upkeep::~Upkeep() {
    loop_->stop();
    if (thread_.joinable()) thread_.join();
    const auto ended = guarded([this] {
        destroy_listeners_.stop();
        note_listening(false);
    });
    if (!ended) log_fault(ended.error());
}

void Upkeep::guard_endpoints() {
    guarded_.clear();
    for (const auto& endpoint : gateway_.endpoints().all())
        guarded_.emplace_back(*loop_, metrics_, gateway_.audit(), endpoint).start();
    listen_to_ends();
}

/// Records when listening starts or stops, and logs the gap before a start.
void Upkeep::note_listening(bool listens) {
    if (listens == std::exchange(listens_, listens)) return;
    const ListeningRecord record{gateway_.configuration()->state_dir};
    if (!listens) return record.end(SystemClock{}.now());
    const auto gap = record.begin(SystemClock{}.now());
    if (!gap.empty()) log_info("flow log: {}", gap);
}

/// Namespaces are created and removed at run time, and one that is recreated under its old name has default settings.
void Upkeep::watch_namespaces() {
    namespaces_ = FileDescriptor{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
    // inotify does not report a mount, but it reports the mount point that `ip netns` creates (ip-netns(8)).
    const int watched = ::inotify_add_watch(namespaces_.get(), kNamespaces, IN_CREATE | IN_DELETE | IN_MOVED_TO);
    if (watched < 0) return;  // the directory does not exist yet: a retry finds namespaces
    loop_->watch(namespaces_.get(), [this] {
        std::array<char, 4096> events{};
        while (::read(namespaces_.get(), events.data(), events.size()) > 0) {
        }
        if (!looking_) {
            looking_ = loop_->after(kSettlingTime, [this] {
                looking_.reset();
                look_at_endpoints();
            });
        }
    });
}

void Upkeep::look_at_endpoints() {
    for (auto& each : guarded_)
        if (!each.is_current()) each.start();
    listen_to_ends();
}

void Upkeep::listen_to_ends() {
    const auto configuration = gateway_.configuration();
    const bool all_heard = destroy_listeners_.update(configuration->flow_log, gateway_.endpoints().all());
    note_listening(flowlog::wanted_ends(configuration->flow_log).has_value());
    const bool all_guarded = std::ranges::all_of(guarded_, [](const auto& each) { return each.is_started(); });
    std::optional<EventLoop::Id> next;
    if (!all_heard || !all_guarded) next = loop_->after(kRetryInterval, [this] { look_at_endpoints(); });
    if (const auto before = std::exchange(retry_, next)) loop_->cancel(*before);
}

}  // namespace headgate::daemon
