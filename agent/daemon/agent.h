// The agent: the daemon that a gateway is managed by. It runs in the foreground until SIGTERM.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <thread>

#include "headgate/result.h"

#include "config/configuration.h"
#include "daemon/event_loop.h"
#include "daemon/guarded_endpoint.h"
#include "flow/file_descriptor.h"
#include "gateway/local_gateway.h"
#include "http/routes.h"
#include "http/server.h"

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
          gateway_(std::move(configuration)),
          loop_(loop),
          router_(http::make_router(gateway_)) {}

    [[nodiscard]] Result<void> start();
    void guard_endpoints();
    void watch_namespaces();
    void look_at_endpoints();
    void retry_later();
    void tell_what_is_missing() const;
    void trim_later();
    void handle(int signal);
    void reload();
    void take_leave(EventLoop::Clock::time_point at_last);
    void tidy();

    const ConfigurationSource& read_configuration_;
    gateway::LocalGateway gateway_;
    EventLoop& loop_;
    std::list<GuardedEndpoint> guarded_;
    FileDescriptor namespaces_;             ///< inotify
    std::optional<EventLoop::Id> looking_;  ///< when namespaces have settled
    std::optional<EventLoop::Id> retry_;    ///< of endpoints that cannot be reached so far
    std::optional<EventLoop::Id> trim_;
    http::Router router_;
    std::unique_ptr<http::Server> server_;
    std::jthread draining_;
};

}  // namespace headgate::daemon
