// SPDX-License-Identifier: GPL-2.0-or-later
// Keeps a listener for DESTROY events in every network namespace that the gateway manages.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "headgate/flow.h"
#include "headgate/result.h"

#include "config/configuration.h"
#include "daemon/log.h"
#include "flowlog/destroy_listener.h"
#include "flowlog/flow_log.h"
#include "gateway/endpoints.h"

namespace headgate::daemon {

/// Not thread-safe: use it from one thread.
class DestroyListeners {
  public:
    /// The log must outlive this object.
    explicit DestroyListeners(flowlog::FlowLog& log) : log_(log) {}

    /// Starts, changes and stops listeners according to the settings and the existing namespaces. A listener whose
    /// namespace remains misses no event; one whose namespace is gone releases it. Logs an error once. Returns whether
    /// every endpoint has a listener.
    bool update(const config::FlowLog& settings, const std::vector<gateway::Endpoints::Pointer>& endpoints);

    /// Events received so far are still passed to the log.
    void stop() { listeners_.clear(); }

  private:
    [[nodiscard]] Result<void> listen(const netlink::NetworkNamespace& where, std::uint64_t cookie,
                                      flowlog::WatchedEndpoints endpoints, conntrack::WantedEnds wanted);

    flowlog::FlowLog& log_;
    std::map<std::uint64_t, std::unique_ptr<flowlog::DestroyListener>> listeners_;  ///< by namespace cookie
    LastingError fault_;
};

/// Records across agent restarts until when an agent listened for DESTROY events: flows that end in between have no
/// record and cannot be counted.
class ListeningRecord {
  public:
    explicit ListeningRecord(const std::filesystem::path& state_dir) : file_(state_dir / "flow-log-heard") {}

    /// Records that listening began. Returns a sentence about the gap before; empty for the first agent.
    [[nodiscard]] std::string begin(Timestamp now) const;

    /// Records that listening ended.
    void end(Timestamp now) const;

  private:
    [[nodiscard]] std::string read() const;
    void write(const std::string& text) const;

    std::filesystem::path file_;
};

}  // namespace headgate::daemon
