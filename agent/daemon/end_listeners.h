// Sees to it that there is a listener for the ends of flows in every network namespace that the gateway manages.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "config/configuration.h"
#include "flowlog/end_listener.h"
#include "flowlog/flow_log.h"

namespace headgate::daemon {

/// To be used on one thread.
class EndListeners {
  public:
    /// The log outlives this object.
    explicit EndListeners(flowlog::FlowLog& log) : log_(log) {}

    /// Brings them in line with the configuration and the namespaces that there are now. A listener whose namespace
    /// stays misses nothing; one whose namespace is gone lets it go. Says once in the daemon's log what keeps it from
    /// one. Whether there is one for every endpoint.
    bool update(const config::Configuration& configuration);

    /// What was heard so far is still brought to the log.
    void stop() { listeners_.clear(); }

  private:
    [[nodiscard]] Result<void> listen(const netlink::NetworkNamespace& where, std::uint64_t cookie,
                                      flowlog::WatchedEndpoints endpoints, conntrack::WantedEnds wanted);

    flowlog::FlowLog& log_;
    std::map<std::uint64_t, std::unique_ptr<flowlog::EndListener>> listeners_;  ///< by the namespace's cookie
    std::string told_;  ///< the last fault, which is not told again and again
};

}  // namespace headgate::daemon
