// What the agent sees to while nobody asks for anything: that what flow operations need is recorded at every endpoint,
// that policies stay in force, that somebody listens to the ends of flows. All of it may wait, for a disk or for what
// another process holds: so it has a loop and a thread of its own, and the agent's main loop waits for nothing.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <thread>

#include "headgate/result.h"

#include "daemon/end_listeners.h"
#include "daemon/event_loop.h"
#include "daemon/guarded_endpoint.h"
#include "files/file_descriptor.h"
#include "gateway/local_gateway.h"
#include "http/metrics/metrics.h"

namespace headgate::daemon {

class Upkeep {
  public:
    /// The gateway and the metrics outlive this object. on_failure is called on its thread when it cannot go on.
    [[nodiscard]] static Result<std::unique_ptr<Upkeep>> open(gateway::LocalGateway& gateway, http::Metrics& metrics,
                                                              std::function<void()> on_failure);

    /// Waits for what is being done just now; nobody listens any more.
    ~Upkeep();
    Upkeep(const Upkeep&) = delete;
    Upkeep& operator=(const Upkeep&) = delete;

    /// Sees to everything once, and then has a thread see to what changes. Once.
    [[nodiscard]] Result<void> start();

    /// Calls this on that thread, one after the other. Thread-safe.
    void post(EventLoop::Action action) { loop_->post(std::move(action)); }

    /// All endpoints anew, as they are configured by now. On that thread.
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
    EndListeners end_listeners_{gateway_.flow_log()};
    bool listens_ = false;                  ///< to the ends of flows
    FileDescriptor namespaces_;             ///< inotify
    std::optional<EventLoop::Id> looking_;  ///< when namespaces have settled
    std::optional<EventLoop::Id> retry_;    ///< of endpoints that cannot be reached so far
    std::jthread thread_;
};

}  // namespace headgate::daemon
