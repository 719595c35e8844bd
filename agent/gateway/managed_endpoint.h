// SPDX-License-Identifier: GPL-2.0-or-later
// An endpoint that headgate manages: its names, its network namespace, the flow table and ruleset there, and what this
// process has learnt about them.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "headgate/clock.h"
#include "headgate/flow_operation.h"
#include "headgate/flow_query.h"
#include "headgate/flow_table.h"
#include "headgate/judge.h"
#include "headgate/quarantine.h"
#include "headgate/result.h"
#include "headgate/ruleset.h"

#include "config/configuration.h"
#include "conntrack/fast_paths.h"
#include "gateway/coalesced_count.h"
#include "gateway/gateway.h"
#include "gateway/timestamp_history.h"
#include "netlink/network_namespace.h"

namespace headgate::gateway {

/// What this process has learnt about a flow table. Thread-safe.
struct TableHistory {
    std::atomic<std::uint64_t> peak = 0;  ///< the highest usage, which the kernel does not keep
    TimestampHistory timestamps;
    CoalescedCount count;
};

/// An endpoint of the configuration, or a network namespace for a one-off run. Thread-safe.
class ManagedEndpoint {
  public:
    /// `policy`: as in configured_policy().
    ManagedEndpoint(Endpoint names, config::FirewallEndpoint settings, std::string policy,
                    std::shared_ptr<TableHistory> history = std::make_shared<TableHistory>(),
                    conntrack::FastPaths fast = {})
        : names_(std::move(names)),
          settings_(std::move(settings)),
          policy_(std::move(policy)),
          history_(std::move(history)),
          fast_(std::move(fast)) {}

    [[nodiscard]] const Endpoint& names() const noexcept { return names_; }

    /// `firewall edge, availability zone a`
    [[nodiscard]] std::string name_for_people() const;

    [[nodiscard]] const std::optional<std::uint16_t>& conntrack_zone() const noexcept {
        return settings_.conntrack_zone;
    }

    /// What the configuration says about its policy: the name of one to keep in force, `none` or `removed`.
    [[nodiscard]] const std::string& configured_policy() const noexcept { return policy_; }

    [[nodiscard]] std::optional<std::string> policy_to_keep() const { return config::policy_to_keep(policy_); }

    /// Whether the network namespace differs from this process's own.
    [[nodiscard]] bool is_elsewhere() const noexcept { return settings_.netns.has_value(); }

    /// Whether both names mean one network namespace, which may have several.
    [[nodiscard]] bool shares_namespace_with(const ManagedEndpoint& other) const;

    /// Whether these are its names, and settings with the same part of the same flow table.
    [[nodiscard]] bool has_table_of(const Endpoint& names, const config::FirewallEndpoint& settings) const;

    [[nodiscard]] const std::shared_ptr<TableHistory>& history() const noexcept { return history_; }

    /// Restricts a query to the endpoint's conntrack zone. An error where the query asks for another zone.
    [[nodiscard]] Result<void> narrow(FlowQuery& query) const;

    [[nodiscard]] Result<netlink::NetworkNamespace> open_namespace() const;
    [[nodiscard]] Result<netlink::NamespaceId> namespace_id() const;
    [[nodiscard]] Result<std::unique_ptr<FlowTable>> open_table() const;

    /// Its operations wait up to `patience`, by default 10 s, for other processes that change it; then Locked.
    [[nodiscard]] Result<std::unique_ptr<Ruleset>> open_ruleset(
        std::optional<std::chrono::seconds> patience = {}) const;

    [[nodiscard]] Result<std::unique_ptr<Quarantine>> open_quarantine(
        std::optional<std::chrono::seconds> patience = {}) const;

    /// Needs more privileges than the others, but not before its first use.
    [[nodiscard]] Result<std::unique_ptr<Judge>> open_judge() const;

    /// Usage of the flow table, without reading any flow.
    [[nodiscard]] Result<TableStatistics> usage() const;

    /// Reads the whole table.
    [[nodiscard]] Result<TableStatistics> statistics(const Clock& clock) const;

  private:
    [[nodiscard]] Result<TableStatistics> count_flows(const Clock& clock) const;
    [[nodiscard]] Result<TableStatistics> usage_of(FlowTable& table) const;

    const Endpoint names_;
    const config::FirewallEndpoint settings_;
    const std::string policy_;
    const std::shared_ptr<TableHistory> history_;
    const conntrack::FastPaths fast_;
};

}  // namespace headgate::gateway
