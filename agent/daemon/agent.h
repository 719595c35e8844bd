// The agent: the daemon that a gateway is managed by. It runs in the foreground until SIGTERM.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>

#include "headgate/result.h"

#include "config/configuration.h"
#include "daemon/event_loop.h"
#include "daemon/log.h"
#include "daemon/upkeep.h"
#include "gateway/local_gateway.h"
#include "http/front_door.h"
#include "http/metrics/metrics.h"
#include "http/server/server.h"
#include "http/server/tcp_listeners.h"
#include "operations/background_task.h"

namespace headgate::daemon {

/// Reads the configuration: once at the start, and again on SIGHUP.
using ConfigurationSource = std::function<Result<config::Configuration>()>;

class Agent {
  public:
    /// Opens the store, settles what was cut, and serves. An error: this is not possible, nothing was changed.
    /// Called before the process has another thread.
    [[nodiscard]] static Result<void> run(const ConfigurationSource& read_configuration);

  private:
    Agent(const ConfigurationSource& read_configuration, config::Configuration configuration, EventLoop& loop)
        : read_configuration_(read_configuration),
          gateway_(std::move(configuration), flowlog::StandardOutput::ForRecords, note_flow_log),
          loop_(loop),
          front_door_(gateway_, metrics_, [this](std::string_view line) { note_request(line); }) {}

    /// What of a configuration may turn out to be impossible: tried before anything is changed.
    struct Doors {
        http::access::Credentials credentials;
        std::vector<http::Listener> listeners;
    };

    [[nodiscard]] Result<void> start();
    [[nodiscard]] Result<void> serve(http::UnixListener listener, Doors doors);
    [[nodiscard]] Result<Doors> prepare(const config::Http& http);
    void open(Doors doors);
    void note_request(std::string_view line);
    static void note_flow_log(std::string_view message);
    void tell_what_waits(const config::Configuration& next) const;
    void trim_when_idle();
    void trim_later();
    void handle(int signal);
    void begin_end();
    void look_at_end();
    void tell(std::function<Result<void>()> state);
    void tell_again();
    void begin_reload();
    void reload();
    void end_reload();
    void tidy();
    void tidy_now();

    const ConfigurationSource& read_configuration_;
    http::Metrics metrics_;  ///< outlives the gateway, whose workers tell it what has ended
    gateway::LocalGateway gateway_;
    EventLoop& loop_;
    http::FrontDoor front_door_;
    http::TcpListeners tcp_listeners_;
    std::unique_ptr<http::Server> local_;    ///< on the Unix socket: whatever comes over TCP, its threads are free
    std::unique_ptr<http::Server> remote_;   ///< on TCP
    std::atomic<bool> trim_is_due_ = false;  ///< and the loop has a timer for it
    std::atomic<EventLoop::Clock::time_point> trim_at_{};
    bool is_draining_ = false;
    std::optional<EventLoop::Clock::time_point> drained_at_;
    std::atomic<bool> is_failed_ = false;
    std::function<Result<void>()> untold_;  ///< what systemd is to be told again
    bool is_reloading_ = false;
    bool reload_again_ = false;       ///< asked for meanwhile
    std::unique_ptr<Upkeep> upkeep_;  ///< uses what stands above
    operations::BackgroundTask tidying_{log_fault};
};

}  // namespace headgate::daemon
