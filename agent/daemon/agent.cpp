// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/agent.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "daemon/configuration_check.h"
#include "daemon/service_manager.h"
#include "gateway/version.h"
#include "threads/guarded.h"

namespace headgate::daemon {
namespace {

using namespace std::chrono_literals;

/// How long an expired operation may remain stored while no new operation is requested.
constexpr auto kTidyInterval = 10min;

/// Bytes of a request on the Unix socket, which may have a candidate for the ruleset.
constexpr std::size_t kLongestLocalBody = 1024 * 1024;
/// Time from the last request until freed memory is returned to the kernel.
constexpr auto kTrimDelay = 5s;
/// Time for clients that followed the last operation to request its flows and receive them.
constexpr auto kFarewell = 1s;
constexpr auto kLongestFarewell = 60s;
/// How often the agent checks whether running operations have ended.
constexpr auto kLookInterval = 50ms;

/// Rejects a configuration that names something unusable; errors have a line for each fault.
Result<config::Configuration> checked(config::Configuration configuration, Prevents prevents) {
    RETURN_IF_ERROR(verdict(check_configuration(configuration, FileIdentity{}), prevents));
    return configuration;
}

/// The share of all connections that one caller, or one address, may use.
std::size_t share_of(std::size_t connections) {
    return std::max<std::size_t>(connections / 2, 1);
}

/// Raises the soft limit to the hard limit: a connection uses one descriptor, an operation a few more.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

/// A segment that was never writable is identical to its file and can be read from there again (madvise(2),
/// MADV_DONTNEED: a private file mapping is repopulated from the file). Segments with applied relocations were writable
/// and are marked PF_W.
int release_unwritten(dl_phdr_info* object, std::size_t /*size*/, void* /*nothing*/) {
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    for (int i = 0; i < object->dlpi_phnum; ++i) {
        const auto& segment = object->dlpi_phdr[i];
        if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
        const auto begin = (object->dlpi_addr + segment.p_vaddr) & ~(page - 1);
        const auto end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
        // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader reports addresses as integers
        ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
    }
    return 0;
}

/// Returns freed heap memory to the kernel, and drops pages of the program and its libraries that were never written:
/// startup code, symbol tables. The kernel reads them back on demand, so only the pages in use remain resident.
void release_idle_memory() {
    ::malloc_trim(0);
    ::dl_iterate_phdr(release_unwritten, nullptr);
}

void note(const Result<void>& sent) {
    if (!sent) log_warning("systemd: {}", sent.error().message);
}

/// The socket of systemd's unit, where clients wait while the agent restarts; otherwise one that the agent opens.
Result<http::UnixListener> own_socket(const std::filesystem::path& path) {
    std::optional<http::UnixListener> found;
    for (auto& socket : inherited_sockets()) {
        ASSIGN_OR_RETURN(auto handed_over, http::UnixListener::adopt(std::move(socket)));
        if (handed_over.path() == path) {
            found.emplace(std::move(handed_over));
        } else {
            log_warning("{} is not served: the configuration says {} (http.socket), and systemd's socket unit another",
                        handed_over.path().native(), path.native());
        }
    }
    return found ? Result<http::UnixListener>{std::move(*found)} : http::UnixListener::open(path);
}

}  // namespace

Result<void> Agent::run(const ConfigurationSource& read_configuration) {
    // More arenas would leave each short-lived thread a heap of its own: 3 MB of unused memory.
    ::mallopt(M_ARENA_MAX, 1);
    raise_descriptor_limit();
    RETURN_IF_ERROR(block_signals());
    ASSIGN_OR_RETURN(auto configuration, read_configuration().and_then([](config::Configuration read) {
        return checked(std::move(read), Prevents::Starting);
    }));
    ASSIGN_OR_RETURN(const auto loop, EventLoop::open());
    Agent agent{read_configuration, std::move(configuration), *loop};
    RETURN_IF_ERROR(agent.start());
    auto ran = loop->run();
    agent.upkeep_.reset();
    if (agent.is_failed_) return failed("endpoints are no longer maintained");
    return ran;
}

Result<void> Agent::start() {
    gateway_.operations().on_ended(
        [this](const FlowOperation& ended) { metrics_.count(ended, *gateway_.configuration()); });
    RETURN_IF_ERROR(gateway_.operations().open_store());
    RETURN_IF_ERROR(loop_.handle_signals([this](int signal) { handle(signal); }));
    ASSIGN_OR_RETURN(auto listener, own_socket(gateway_.configuration()->http.socket));
    ASSIGN_OR_RETURN(auto parts, prepare(gateway_.configuration()->http));
    if (auto recovered = gateway_.operations().recover_interrupted(); !recovered)
        log_error("{}", recovered.error().message);
    gateway_.flow_log().open();
    ASSIGN_OR_RETURN(auto upkeep, Upkeep::open(gateway_, metrics_, [this] {
                         is_failed_ = true;
                         loop_.stop();
                     }));
    upkeep_ = std::move(upkeep);
    RETURN_IF_ERROR(upkeep_->start());
    tidy();
    RETURN_IF_ERROR(serve(std::move(listener), std::move(parts)));
    loop_.every(kTidyInterval, [this] { tidy(); });
    if (const auto period = keep_alive_period()) {
        loop_.every(*period, [] { note(notify_alive()); });
    }
    trim_when_idle();
    log_info("agent {} serves {}", gateway::kVersion, gateway_.configuration()->http.socket.native());
    notify([] { return notify_ready("ready"); });
    return {};
}

Result<void> Agent::serve(http::UnixListener listener, HttpParts parts) {
    http::Limits limits;
    auto local_limits = limits;
    local_limits.size.body = kLongestLocalBody;
    ASSIGN_OR_RETURN(auto local,
                     http::Server::start({http::Listener::on(std::move(listener))}, dispatcher_, local_limits));
    limits.threads = gateway_.configuration()->http.connections;
    limits.of_one_peer = share_of(limits.threads);
    ASSIGN_OR_RETURN(auto remote, http::Server::start({}, dispatcher_, limits));
    local_ = std::move(local);
    remote_ = std::move(remote);
    open(std::move(parts));
    return {};
}

Result<Agent::HttpParts> Agent::prepare(const config::Http& http) {
    HttpParts parts;
    if (http.credentials) {
        auto credentials = http::access::load_credentials(*http.credentials);
        if (!credentials) return tl::unexpected(std::move(credentials.error()).within("http.credentials"));
        parts.credentials = std::move(*credentials);
    }
    std::vector<std::string> warnings;
    ASSIGN_OR_RETURN(auto listeners, tcp_listeners_.open(http, warnings));
    parts.listeners = std::move(listeners);
    for (const auto& each : warnings)
        log_warning("{}", each);
    return parts;
}

void Agent::open(HttpParts parts) {
    const auto http = gateway_.configuration()->http;
    dispatcher_.admit(std::move(parts.credentials), http.requests_per_second, share_of(http.connections));
    tcp_listeners_.keep();
    remote_->listen_on(std::move(parts.listeners));
}

/// Called from the threads of the HTTP servers.
void Agent::note_request(std::string_view line) {
    log_info("{}", line);
    trim_when_idle();
}

/// Schedules the trim a few seconds after the last call. Thread-safe.
void Agent::trim_when_idle() {
    trim_at_ = EventLoop::Clock::now() + kTrimDelay;
    if (trim_is_due_.exchange(true)) return;
    const auto posted = guarded([this] { loop_.post([this] { trim_later(); }); });
    if (!posted) trim_is_due_ = false;
}

void Agent::trim_later() {
    loop_.after(trim_at_.load() - EventLoop::Clock::now(), [this] {
        if (trim_at_.load() > EventLoop::Clock::now()) return trim_later();
        trim_is_due_ = false;
        gateway_.operations().trim();
        release_idle_memory();
    });
}

void Agent::handle(int signal) {
    if (signal == SIGHUP) return begin_reload();
    if (is_draining_) return;
    const auto begun = guarded([this] { begin_end(); });
    if (begun) return;
    log_fault(begun.error());
    if (!is_draining_) loop_.stop();  // the destructors then wait for running operations, too
}

/// Clients may follow running operations to their end, so the loop and the servers continue. The loop polls for that
/// end, because creating a thread that could wait for it may fail.
void Agent::begin_end() {
    loop_.every(kLookInterval, [this] { look_at_end(); });
    is_draining_ = true;
    gateway_.operations().begin_drain();
    log_info("stopping: operations in progress are finished first");
    const auto at_most = gateway_.configuration()->operation_timeout + kLongestFarewell + kFarewell;
    notify([at_most] { return notify_stopping(at_most); });
}

void Agent::look_at_end() {
    const auto now = EventLoop::Clock::now();
    if (!drained_at_) {
        if (!gateway_.is_drained()) return;
        remote_->wind_down();
        drained_at_ = now;
    }
    const bool is_time = now >= *drained_at_ + kFarewell && local_->answering() + remote_->answering() == 0;
    if (is_time || now >= *drained_at_ + kLongestFarewell) loop_.stop();
}

/// Reports the latest state, and retries while systemd's socket is full, without blocking.
void Agent::notify(std::function<Result<void>()> state) {
    unsent_ = std::move(state);
    notify_again();
}

void Agent::notify_again() {
    if (!unsent_) return;
    const auto sent = unsent_();
    if (!sent && sent.error().number == EAGAIN) {
        loop_.after(kLookInterval, [this] { notify_again(); });
        return;
    }
    unsent_ = nullptr;
    note(sent);
}

void Agent::begin_reload() {
    if (is_reloading_) {
        reload_again_ = true;
        return;
    }
    notify(notify_reloading);
    upkeep_->post([this] {
        const auto reloaded = guarded([this] { reload(); });
        if (reloaded) return;
        log_fault(reloaded.error());
        loop_.post([this] { end_reload(); });
    });
    is_reloading_ = true;
}

/// Runs on the upkeep's thread: it reads files and drains the queues of removed sinks.
void Agent::reload() {
    gateway_.reopen_logs();
    auto configuration = read_configuration_().and_then(
        [](config::Configuration next) { return checked(std::move(next), Prevents::Reloading); });
    auto parts = configuration.and_then([&](const auto& next) { return prepare(next.http); });
    if (!parts) {
        log_error("the configuration stays as it was: {}", parts.error().message);
        return loop_.post([this] { end_reload(); });
    }
    warn_of_settings_that_wait(*configuration);
    gateway_.configure(std::move(*configuration));
    upkeep_->guard_endpoints();
    loop_.post([this, ready = std::make_shared<HttpParts>(std::move(*parts))] {
        if (!is_draining_) open(std::move(*ready));
        log_info("reloaded");
        end_reload();
    });
}

void Agent::end_reload() {
    is_reloading_ = false;
    notify([] { return notify_ready("ready"); });
    if (std::exchange(reload_again_, false)) begin_reload();
}

void Agent::warn_of_settings_that_wait(const config::Configuration& next) const {
    const auto before = gateway_.configuration();
    if (next.http.socket == before->http.socket && next.state_dir == before->state_dir &&
        next.http.connections == before->http.connections) {
        return;
    }
    log_warning("http.socket, http.connections and state_dir change with the next start");
}

/// Not on the loop's thread: it may remove much data, and recovery asks the kernel for each flow.
void Agent::tidy() {
    const auto begun = tidying_.begin([this](const std::stop_token&) {
        const auto removed = gateway_.operations().tidy();
        if (!removed) return log_error("{}", removed.error().message);
        if (*removed != 0)
            log_warning("{} operations were removed before their time, to keep to disk_budget", *removed);
    });
    if (!begun) log_error("{}", begun.error().message);
}

}  // namespace headgate::daemon
