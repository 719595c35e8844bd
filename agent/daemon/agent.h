// SPDX-License-Identifier: GPL-2.0-or-later
// The agent: the daemon that manages a gateway. It runs in the foreground until SIGTERM.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>

#include "headgate/result.h"

#include "config/configuration.h"
#include "conntrack/expiry/flow_expiry.h"
#include "conntrack/walk/hash_walk.h"
#include "daemon/event_loop.h"
#include "daemon/log.h"
#include "daemon/upkeep.h"
#include "gateway/local_gateway.h"
#include "http/dispatcher.h"
#include "http/metrics/metrics.h"
#include "http/server/server.h"
#include "http/server/tcp_listeners.h"
#include "threads/background_task.h"

namespace headgate::daemon {

/// Reads the configuration: at startup, and again on SIGHUP.
using ConfigurationSource = std::function<Result<config::Configuration>()>;

class Agent {
  public:
    /// Opens the store, recovers interrupted operations and serves requests. An error means that it could not start;
    /// nothing was changed. Must be called before the process starts another thread.
    [[nodiscard]] static Result<void> run(const ConfigurationSource& read_configuration);

  private:
    Agent(const ConfigurationSource& read_configuration, config::Configuration configuration, EventLoop& loop)
        : read_configuration_(read_configuration),
          gateway_(std::move(configuration), flowlog::StandardOutput::ForRecords,
                   [](std::string_view message) { log_warning("{}", message); },
                   {std::make_shared<conntrack::HashWalk>(conntrack::kAgentWalksFrom, inform),
                    std::make_shared<conntrack::FlowExpiry>(conntrack::kAgentExpiresFrom,
                                                            std::make_shared<conntrack::ExpiredFlows>(), inform)}),
          loop_(loop),
          dispatcher_(gateway_, metrics_, [this](std::string_view line) { note_request(line); }) {}

    /// The parts of a configuration that may fail to load or open: prepared before anything is changed.
    struct HttpParts {
        http::access::Credentials credentials;
        std::vector<http::Listener> listeners;
    };

    static void inform(std::string_view message) { log_info("{}", message); }
    [[nodiscard]] Result<void> start();
    [[nodiscard]] Result<void> serve(http::UnixListener listener, HttpParts parts);
    [[nodiscard]] Result<HttpParts> prepare(const config::Http& http);
    void open(HttpParts parts);
    void note_request(std::string_view line);
    void warn_of_settings_that_wait(const config::Configuration& next) const;
    void trim_when_idle();
    void trim_later();
    void handle(int signal);
    void begin_end();
    void look_at_end();
    void notify(std::function<Result<void>()> state);
    void notify_again();
    void begin_reload();
    void reload();
    void end_reload();
    void tidy();

    const ConfigurationSource& read_configuration_;
    http::Metrics metrics_;  ///< outlives the gateway, whose workers count ended operations in it
    gateway::LocalGateway gateway_;
    EventLoop& loop_;
    http::Dispatcher dispatcher_;
    http::TcpListeners tcp_listeners_;
    std::unique_ptr<http::Server> local_;    ///< on the Unix socket; TCP clients cannot occupy its threads
    std::unique_ptr<http::Server> remote_;   ///< on TCP
    std::atomic<bool> trim_is_due_ = false;  ///< whether the loop has a timer for it
    std::atomic<EventLoop::Clock::time_point> trim_at_{};
    bool is_draining_ = false;
    std::optional<EventLoop::Clock::time_point> drained_at_;
    std::atomic<bool> is_failed_ = false;
    std::function<Result<void>()> unsent_;  ///< the notification to systemd that is to be retried
    bool is_reloading_ = false;
    bool reload_again_ = false;       ///< SIGHUP received during a reload
    std::unique_ptr<Upkeep> upkeep_;  ///< uses the members above
    BackgroundTask tidying_{log_fault};
};

}  // namespace headgate::daemon
