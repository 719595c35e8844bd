// SPDX-License-Identifier: GPL-2.0-or-later
// Background maintenance of all endpoints: the kernel records what flow operations need, policies stay in force,
// listeners receive DESTROY events. As it may block on a disk or a lock, it has a loop and a thread of its own, and the
// agent's main loop never blocks.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <thread>

#include "headgate/result.h"

#include "daemon/destroy_listeners.h"
#include "daemon/event_loop.h"
#include "daemon/guarded_endpoint.h"
#include "files/file_descriptor.h"
#include "gateway/local_gateway.h"
#include "http/metrics/metrics.h"

namespace headgate::daemon {

class Upkeep {
  public:
    /// Gateway and metrics must outlive this object. on_failure is called on the upkeep's thread if it cannot continue.
    [[nodiscard]] static Result<std::unique_ptr<Upkeep>> open(gateway::LocalGateway& gateway, http::Metrics& metrics,
                                                              std::function<void()> on_failure);

    /// Waits for the action in progress, and stops all listeners.
    ~Upkeep();
    Upkeep(const Upkeep&) = delete;
    Upkeep& operator=(const Upkeep&) = delete;

    /// Checks all endpoints once, then starts the thread that handles changes. Call it once.
    [[nodiscard]] Result<void> start();

    /// Runs the action on the upkeep's thread, in order. Thread-safe.
    void post(EventLoop::Action action) { loop_->post(std::move(action)); }

    /// Starts over with all endpoints of the current configuration. Call it on the upkeep's thread.
    void guard_endpoints();

  private:
    Upkeep(std::unique_ptr<EventLoop> loop, gateway::LocalGateway& gateway, http::Metrics& metrics,
           std::function<void()> on_failure)
        : gateway_(gateway), metrics_(metrics), on_failure_(std::move(on_failure)), loop_(std::move(loop)) {}

    void run();
    void watch_namespaces();
    void look_at_endpoints();
    void listen_to_ends();
    void note_listening(bool listens);

    gateway::LocalGateway& gateway_;
    http::Metrics& metrics_;
    const std::function<void()> on_failure_;
    const std::unique_ptr<EventLoop> loop_;
    std::list<GuardedEndpoint> guarded_;
    DestroyListeners destroy_listeners_{gateway_.flow_log()};
    bool listens_ = false;                  ///< for DESTROY events
    FileDescriptor namespaces_;             ///< inotify
    std::optional<EventLoop::Id> looking_;  ///< pending check after a namespace has changed
    std::optional<EventLoop::Id> retry_;    ///< pending retry for unreachable endpoints
    std::jthread thread_;
};

}  // namespace headgate::daemon
