#include "daemon/agent.h"

#include <malloc.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "daemon/log.h"
#include "daemon/service_manager.h"
#include "gateway/version.h"
#include "midstream/policy_library.h"

namespace headgate::daemon {
namespace {

using namespace std::chrono_literals;

/// How late an operation may end after its retention is over, while nobody asks for another one.
constexpr auto kTidyInterval = 10min;
/// How often an endpoint is tried that cannot be reached.
constexpr auto kRetryInterval = 30s;
/// From a namespace's name to the namespace: `ip netns add` makes the one before the other.
constexpr auto kSettlingTime = 300ms;
/// How long after the last request memory is given back.
constexpr auto kTrimDelay = 5s;
/// For those who followed the last operation to ask for its flows, and to get them.
constexpr auto kFarewell = 1s;
constexpr auto kLongestFarewell = 60s;
constexpr const char* kNamespaces = "/run/netns";

/// An endpoint is not to lose the policy that it has for one that cannot be read.
Result<config::Configuration> with_its_policies(config::Configuration configuration) {
    for (const auto& firewall : configuration.firewalls) {
        for (const auto& endpoint : firewall.endpoints) {
            const auto name = config::policy_to_keep(configuration, endpoint);
            if (!name) continue;
            if (auto policy = midstream::find_policy(*name, midstream::policy_folders()); !policy) {
                return tl::unexpected(std::move(policy.error()).within("stream_exception_policy"));
            }
        }
    }
    return configuration;
}

void note(const Result<void>& told) {
    if (!told) log_warning("systemd: {}", told.error().message);
}

}  // namespace

Result<void> Agent::run(const ConfigurationSource& read_configuration) {
    // Threads that come and go would each keep a heap of their own: three megabytes that nobody uses.
    ::mallopt(M_ARENA_MAX, 1);
    if (auto blocked = block_signals(); !blocked) return blocked;
    auto configuration = read_configuration();
    if (!configuration) return tl::unexpected(std::move(configuration.error()));
    const auto loop = EventLoop::open();
    if (!loop) return tl::unexpected(loop.error());
    Agent agent{read_configuration, std::move(*configuration), **loop};
    if (auto started = agent.start(); !started) return started;
    return (*loop)->run();
}

Result<void> Agent::start() {
    if (auto opened = gateway_.open_store(); !opened) return opened;
    if (auto handled = loop_.handle_signals([this](int signal) { handle(signal); }); !handled) return handled;
    auto listener = http::UnixListener::open(gateway_.configuration()->http.socket);
    if (!listener) return tl::unexpected(std::move(listener.error()));
    if (auto settled = gateway_.settle_cut(); !settled) log_error("{}", settled.error().message);
    guard_endpoints();
    watch_namespaces();
    tell_what_is_missing();
    tidy();
    auto server = http::Server::start(std::move(*listener), [this](http::Request request) {
        loop_.post([this] { trim_later(); });
        return router_.answer(std::move(request));
    });
    if (!server) return tl::unexpected(std::move(server.error()));
    server_ = std::move(*server);
    loop_.every(kTidyInterval, [this] { tidy(); });
    if (const auto period = keep_alive_period()) {
        loop_.every(*period, [] { note(tell_alive()); });
    }
    log_info("agent {} serves {}", gateway::kVersion, gateway_.configuration()->http.socket.native());
    note(tell_ready("ready"));
    return {};
}

void Agent::guard_endpoints() {
    guarded_.clear();
    const auto configuration = gateway_.configuration();
    for (const auto& firewall : configuration->firewalls) {
        for (const auto& place : firewall.endpoints) {
            auto& guarded = guarded_.emplace_back(
                loop_, gateway_, gateway::ChosenEndpoint{{firewall.name, place.availability_zone, ""}, place});
            guarded.start();
        }
    }
    retry_later();
}

/// Namespaces come and go, and one that is made anew under its old name has nothing of what was seen to in the old one.
void Agent::watch_namespaces() {
    namespaces_ = FileDescriptor{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
    // What is mounted in a folder does not show there; what `ip netns` makes to mount on does (ip-netns(8)).
    const int watched = ::inotify_add_watch(namespaces_.get(), kNamespaces, IN_CREATE | IN_DELETE | IN_MOVED_TO);
    if (watched < 0) return;  // there are none so far: then a retry finds them
    loop_.watch(namespaces_.get(), [this] {
        std::array<char, 4096> events{};
        while (::read(namespaces_.get(), events.data(), events.size()) > 0) {
        }
        if (!looking_) {
            looking_ = loop_.after(kSettlingTime, [this] {
                looking_.reset();
                look_at_endpoints();
            });
        }
    });
}

void Agent::look_at_endpoints() {
    for (auto& each : guarded_)
        if (!each.is_current()) each.start();
    retry_later();
}

void Agent::retry_later() {
    const bool all = std::ranges::all_of(guarded_, [](const auto& each) { return each.is_started(); });
    if (retry_) loop_.cancel(*retry_);
    retry_.reset();
    if (!all) retry_ = loop_.after(kRetryInterval, [this] { look_at_endpoints(); });
}

void Agent::tell_what_is_missing() const {
    const auto configuration = gateway_.configuration();
    if (!configuration->http.listeners.empty())
        log_warning("http.listeners: this version serves its Unix socket alone");
    if (!configuration->flow_log.sinks.empty()) log_warning("flow_log: this version writes no flow log");
}

void Agent::trim_later() {
    if (trim_) loop_.cancel(*trim_);
    trim_ = loop_.after(kTrimDelay, [this] {
        trim_.reset();
        gateway_.trim();
    });
}

void Agent::handle(int signal) {
    if (signal == SIGHUP) return reload();
    if (draining_.joinable()) return;
    log_info("stopping: what is running comes to its end first");
    note(tell_stopping());
    // Others may follow it to its end: the loop and the server go on meanwhile.
    draining_ = std::jthread{[this] {
        gateway_.drain();
        loop_.post([this] { take_leave(EventLoop::Clock::now() + kLongestFarewell); });
    }};
}

void Agent::take_leave(EventLoop::Clock::time_point at_last) {
    loop_.after(kFarewell, [this, at_last] {
        if (server_->connections() == 0 || EventLoop::Clock::now() >= at_last) return loop_.stop();
        take_leave(at_last);
    });
}

void Agent::reload() {
    note(tell_reloading());
    gateway_.reopen_logs();
    auto configuration = read_configuration_().and_then(with_its_policies);
    if (!configuration) {
        log_error("the configuration stays as it was: {}", configuration.error().message);
    } else {
        const auto before = gateway_.configuration();
        if (configuration->http.socket != before->http.socket || configuration->state_dir != before->state_dir) {
            log_warning("http.socket and state_dir change with the next start");
        }
        gateway_.configure(std::move(*configuration));
        guard_endpoints();
        tell_what_is_missing();
        log_info("reloaded");
    }
    note(tell_ready("ready"));
}

void Agent::tidy() {
    const auto removed = gateway_.tidy();
    if (!removed) return log_error("{}", removed.error().message);
    if (*removed != 0) log_warning("{} operations were removed before their time, to keep to disk_budget", *removed);
}

}  // namespace headgate::daemon
