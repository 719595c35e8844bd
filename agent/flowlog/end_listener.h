// Listens to the ends of flows in one network namespace, on a thread of its own, which does nothing but bring the
// kernel's events to the flow log as fast as they come.
#pragma once

#include <memory>

#include "headgate/result.h"

#include "conntrack/end_events.h"
#include "flowlog/event_reader.h"
#include "flowlog/flow_log.h"
#include "netlink/network_namespace.h"

namespace headgate::flowlog {

class EndListener {
  public:
    /// Listens from now on. The log outlives this object. Needs CAP_NET_ADMIN.
    [[nodiscard]] static Result<std::unique_ptr<EndListener>> start(const netlink::NetworkNamespace& where,
                                                                    WatchedEndpoints endpoints,
                                                                    conntrack::WantedEnds wanted, FlowLog& log);

    /// What the kernel has told so far is still brought to the log.
    ~EndListener();
    EndListener(const EndListener&) = delete;
    EndListener& operator=(const EndListener&) = delete;

    /// From now on for these, without missing an event. Thread-safe.
    void change(WatchedEndpoints endpoints, conntrack::WantedEnds wanted);

  private:
    class Thread;
    explicit EndListener(std::unique_ptr<Thread> thread);

    std::unique_ptr<Thread> thread_;
};

}  // namespace headgate::flowlog
