// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/local_quarantines.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gateway/quarantine_guard.h"
#include "quarantine/quarantine_rules.h"

namespace headgate::gateway {
namespace {

using operations::QuarantineStep;

/// include/uapi/linux/netfilter/nf_conntrack_common.h, IPS_OFFLOAD
constexpr std::uint32_t kOffloaded = 1U << 14U;

/// Counts the flows in flowtables. Their packets pass no rule, at no hook (nf_flow_table_ip.c,
/// nf_flow_offload_ip_hook), until the flow ends.
class OffloadedFlows final : public ScanListener {
  public:
    Result<void> matched(std::span<const FlowRow> rows) override {
        count_ += static_cast<std::uint64_t>(
            std::ranges::count_if(rows, [](const FlowRow& row) { return (row.flow.status & kOffloaded) != 0; }));
        return {};
    }
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

  private:
    std::uint64_t count_ = 0;
};

Result<std::uint64_t> count_offloaded(const ManagedEndpoint& endpoint, std::span<const Prefix> prefixes,
                                      const Clock& clock) {
    ASSIGN_OR_RETURN(const auto table, endpoint.open_table());
    OffloadedFlows offloaded;
    auto query = flows_of(prefixes);
    query.states = StateScope::Any;
    RETURN_IF_ERROR(table->scan(query, Moment{.now = clock.now()}, offloaded));
    return offloaded.count();
}

Result<void> check_addition(const QuarantineRequest& request) {
    if (auto time = quarantine::checked_time(request.time); !time) {
        return tl::unexpected(std::move(time.error()).within("for_seconds"));
    }
    return request.wide ? Result<void>{} : quarantine::check_width(request.prefixes);
}

std::vector<QuarantineEntry> entries_of(const QuarantineRequest& request, const Clock& clock) {
    std::vector<QuarantineEntry> entries;
    for (const auto& prefix : request.prefixes) {
        QuarantineEntry entry;
        entry.prefix = prefix;
        entry.action = request.action;
        entry.left = request.time;
        entry.since = clock.now();
        entry.by = request.caller.name();
        entry.reason = request.reason;
        entries.push_back(std::move(entry));
    }
    return entries;
}

/// The entries of these prefixes.
Result<EndpointQuarantine> read_entries(const ManagedEndpoint& endpoint, Quarantine& quarantine,
                                        std::span<const Prefix> prefixes) {
    ASSIGN_OR_RETURN(auto entries, quarantine.entries());
    std::erase_if(entries, [&](const QuarantineEntry& entry) {
        return std::ranges::find(prefixes, entry.prefix) == prefixes.end();
    });
    return EndpointQuarantine{endpoint.names(), std::move(entries), 0, {}};
}

Result<EndpointQuarantine> extend_at(const ManagedEndpoint& endpoint, const QuarantineRequest& request) {
    if (auto time = quarantine::checked_time(request.time); !time) {
        return tl::unexpected(std::move(time.error()).within("for_seconds"));
    }
    ASSIGN_OR_RETURN(const auto quarantine, endpoint.open_quarantine());
    RETURN_IF_ERROR(quarantine->extend(request.prefixes, request.time));
    return read_entries(endpoint, *quarantine, request.prefixes);
}

Result<EndpointQuarantine> remove_at(const ManagedEndpoint& endpoint, const QuarantineRequest& request) {
    ASSIGN_OR_RETURN(const auto quarantine, endpoint.open_quarantine());
    ASSIGN_OR_RETURN(auto removed, read_entries(endpoint, *quarantine, request.prefixes));
    RETURN_IF_ERROR(quarantine->remove(request.prefixes));
    return removed;
}

}  // namespace

Result<EndpointQuarantine> LocalQuarantines::quarantined(const EndpointName& endpoint) {
    ASSIGN_OR_RETURN(const auto found, endpoints_.find(endpoint));
    ASSIGN_OR_RETURN(const auto quarantine, found->open_quarantine());
    return quarantine->entries().map([&](std::vector<QuarantineEntry>&& entries) {
        return EndpointQuarantine{found->names(), std::move(entries), 0, {}};
    });
}

Result<EndpointQuarantine> LocalQuarantines::add(const QuarantineRequest& request) {
    return change(QuarantineStep::Add, request,
                  [&](const ManagedEndpoint& endpoint) { return add_at(endpoint, request); });
}

Result<EndpointQuarantine> LocalQuarantines::extend(const QuarantineRequest& request) {
    return change(QuarantineStep::Extend, request,
                  [&](const ManagedEndpoint& endpoint) { return extend_at(endpoint, request); });
}

Result<EndpointQuarantine> LocalQuarantines::remove(const QuarantineRequest& request) {
    return change(QuarantineStep::Remove, request,
                  [&](const ManagedEndpoint& endpoint) { return remove_at(endpoint, request); });
}

Result<EndpointQuarantine> LocalQuarantines::add_at(const ManagedEndpoint& endpoint, const QuarantineRequest& request) {
    RETURN_IF_ERROR(check_addition(request));
    std::vector<std::string> warnings;
    if (!request.include_protected) {
        ASSIGN_OR_RETURN(const auto spared,
                         spared_by(request, endpoint, endpoints_.configuration()->protected_filters));
        RETURN_IF_ERROR(check_spared(request.prefixes, spared));
        if (!spared.ssh.fault.empty()) {
            warnings.push_back(fmt::format(
                "SSH sessions into this machine could not be looked for, so one may be cut off: {}", spared.ssh.fault));
        }
    }
    ASSIGN_OR_RETURN(const auto quarantine, endpoint.open_quarantine());
    RETURN_IF_ERROR(quarantine->add(entries_of(request, clock_)));
    ASSIGN_OR_RETURN(auto added, read_entries(endpoint, *quarantine, request.prefixes));
    added.warnings = std::move(warnings);
    if (const auto offloaded = count_offloaded(endpoint, request.prefixes, clock_)) {
        added.offloaded_flows = *offloaded;
    } else {
        added.warnings.push_back("flows in flowtables could not be looked for: " + offloaded.error().message);
    }
    return added;
}

Result<EndpointQuarantine> LocalQuarantines::change(QuarantineStep step, const QuarantineRequest& request,
                                                    const Change& change) {
    RETURN_IF_ERROR(audit_.ready());
    const auto endpoint = endpoints_.find(request.endpoint);
    const auto record = change_of(step, request, endpoint ? (*endpoint)->names() : request.endpoint.as_endpoint());
    auto changed = [&]() -> Result<EndpointQuarantine> {
        if (!endpoint) return tl::unexpected(endpoint.error());
        if (auto named = quarantine::check_prefixes(request.prefixes); !named) {
            return tl::unexpected(std::move(named.error()).within("addresses"));
        }
        return change(**endpoint);
    }();
    const auto result = changed ? Result<void>{} : tl::unexpected(changed.error());
    if (auto recorded = audit_.record(record, result); !recorded && changed) {
        changed->warnings.push_back(recorded.error().message);
    }
    return changed;
}

operations::QuarantineChange change_of(QuarantineStep step, const QuarantineRequest& request,
                                       const Endpoint& endpoint) {
    return {step,           request.prefixes,          request.action, request.time,
            request.reason, request.include_protected, endpoint,       request.caller};
}

FlowQuery flows_of(std::span<const Prefix> prefixes) {
    std::vector<FlowFilter> filters;
    for (const auto& prefix : prefixes)
        filters.emplace_back().source = prefix;
    return either_way(std::move(filters));
}

}  // namespace headgate::gateway
