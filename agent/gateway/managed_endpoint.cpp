// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/managed_endpoint.h"

#include <algorithm>

#include "conntrack/kernel_flow_table.h"
#include "midstream/kernel_ruleset.h"
#include "quarantine/kernel_quarantine.h"
#include "rematch/kernel_judge.h"

namespace headgate::gateway {
namespace {

class KindCounter final : public ScanListener {
  public:
    explicit KindCounter(std::map<FlowKind, std::uint64_t>& counts) : counts_(counts) {}

    Result<void> matched(std::span<const FlowRow> rows) override {
        for (const auto& row : rows) {
            const Flow& flow = row.flow;
            ++counts_[{flow.original.source.family, flow.original.protocol, state(flow)}];
        }
        return {};
    }

  private:
    std::map<FlowKind, std::uint64_t>& counts_;
};

/// The highest value so far, including the present one.
std::uint64_t raise(std::atomic<std::uint64_t>& peak, std::uint64_t present) {
    auto before = peak.load();
    while (before < present && !peak.compare_exchange_weak(before, present)) {
    }
    return std::max(before, present);
}

}  // namespace

std::string ManagedEndpoint::name_for_people() const {
    return fmt::format("firewall {}, availability zone {}", names_.firewall, names_.availability_zone);
}

bool ManagedEndpoint::shares_namespace_with(const ManagedEndpoint& other) const {
    if (config::namespace_path(settings_) == config::namespace_path(other.settings_)) return true;
    const auto here = namespace_id();
    const auto there = other.namespace_id();
    return here && there && *here == *there;
}

bool ManagedEndpoint::has_table_of(const Endpoint& names, const config::FirewallEndpoint& settings) const {
    return names == names_ && settings.conntrack_zone == settings_.conntrack_zone &&
           config::namespace_path(settings) == config::namespace_path(settings_);
}

Result<void> ManagedEndpoint::narrow(FlowQuery& query) const {
    const auto zone = conntrack_zone();
    if (zone && query.zone && *query.zone != *zone) {
        return invalid("zone: {} is not in reach; the endpoint of firewall {} in {} is conntrack zone {}", *query.zone,
                       names_.firewall, names_.availability_zone, *zone);
    }
    if (zone) query.zone = zone;
    return {};
}

Result<netlink::NetworkNamespace> ManagedEndpoint::open_namespace() const {
    if (!settings_.netns) return netlink::NetworkNamespace{};
    auto opened = netlink::NetworkNamespace::open(*settings_.netns);
    if (opened) return opened;
    return tl::unexpected(
        std::move(opened.error()).within(names_.network_namespace.empty() ? name_for_people() : "--netns"));
}

Result<netlink::NamespaceId> ManagedEndpoint::namespace_id() const {
    return open_namespace().and_then([](const netlink::NetworkNamespace& opened) { return opened.id(); });
}

Result<std::unique_ptr<FlowTable>> ManagedEndpoint::open_table() const {
    ASSIGN_OR_RETURN(auto where, open_namespace());
    ASSIGN_OR_RETURN(auto table, conntrack::KernelFlowTable::open(std::move(where), fast_));
    return std::unique_ptr<FlowTable>{std::move(table)};
}

Result<std::unique_ptr<Ruleset>> ManagedEndpoint::open_ruleset(std::optional<std::chrono::seconds> patience) const {
    ASSIGN_OR_RETURN(auto where, open_namespace());
    return std::unique_ptr<Ruleset>{midstream::KernelRuleset::open(
        std::move(where), midstream::kRunFolder, patience.value_or(midstream::PolicyStateFile::kPatience))};
}

Result<std::unique_ptr<Quarantine>> ManagedEndpoint::open_quarantine(
    std::optional<std::chrono::seconds> patience) const {
    ASSIGN_OR_RETURN(auto where, open_namespace());
    return std::unique_ptr<Quarantine>{quarantine::KernelQuarantine::open(
        std::move(where), midstream::kRunFolder, patience.value_or(midstream::PolicyStateFile::kPatience))};
}

Result<std::unique_ptr<Judge>> ManagedEndpoint::open_judge() const {
    return open_namespace().map([](netlink::NetworkNamespace where) -> std::unique_ptr<Judge> {
        return rematch::KernelJudge::open(std::move(where));
    });
}

Result<TableStatistics> ManagedEndpoint::usage() const {
    ASSIGN_OR_RETURN(const auto table, open_table());
    return usage_of(*table);
}

Result<TableStatistics> ManagedEndpoint::statistics(const Clock& clock) const {
    return history_->count.run([&] { return count_flows(clock); });
}

Result<TableStatistics> ManagedEndpoint::count_flows(const Clock& clock) const {
    ASSIGN_OR_RETURN(const auto table, open_table());
    ASSIGN_OR_RETURN(auto counted, usage_of(*table));
    FlowQuery everything;
    everything.filters = {FlowFilter{}};
    everything.states = StateScope::Any;
    RETURN_IF_ERROR(narrow(everything));
    KindCounter counter{counted.flows};
    RETURN_IF_ERROR(table->scan(everything, {.now = clock.now()}, counter));
    return counted;
}

Result<TableStatistics> ManagedEndpoint::usage_of(FlowTable& table) const {
    return table.usage().map([&](const TableUsage& usage) {
        return TableStatistics{usage, raise(history_->peak, usage.in_use), {}};
    });
}

}  // namespace headgate::gateway
