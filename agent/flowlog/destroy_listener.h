// SPDX-License-Identifier: GPL-2.0-or-later
// Listens for conntrack DESTROY events in one network namespace, on a thread that only passes them to the flow log, so
// that it keeps up with the kernel.
#pragma once

#include <memory>

#include "headgate/result.h"

#include "conntrack/destroy_events.h"
#include "flowlog/destroy_decoder.h"
#include "flowlog/flow_log.h"
#include "netlink/network_namespace.h"

namespace headgate::flowlog {

class DestroyListener {
  public:
    /// Starts to listen. The log must outlive this object. Needs CAP_NET_ADMIN.
    [[nodiscard]] static Result<std::unique_ptr<DestroyListener>> start(const netlink::NetworkNamespace& where,
                                                                        WatchedEndpoints endpoints,
                                                                        conntrack::WantedEnds wanted, FlowLog& log);

    /// Passes the events that are already in the socket to the log, then stops.
    ~DestroyListener();
    DestroyListener(const DestroyListener&) = delete;
    DestroyListener& operator=(const DestroyListener&) = delete;

    /// Replaces endpoints and wanted events without missing an event. Thread-safe.
    void change(WatchedEndpoints endpoints, conntrack::WantedEnds wanted);

  private:
    class Thread;
    explicit DestroyListener(std::unique_ptr<Thread> thread);

    std::unique_ptr<Thread> thread_;
};

}  // namespace headgate::flowlog
