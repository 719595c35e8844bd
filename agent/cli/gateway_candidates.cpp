// SPDX-License-Identifier: GPL-2.0-or-later
#include <filesystem>
#include <system_error>

#include "headgate/clock.h"

#include "cli/candidates.h"
#include "cli/cell.h"
#include "cli/gateway_arguments.h"
#include "midstream/policy_library.h"

namespace headgate::cli {
namespace {

constexpr const char* kNamedNamespaces = "/run/netns";
constexpr std::size_t kLatestOperations = 50;  // more are no help in choosing

/// Null without an agent.
std::unique_ptr<gateway::Gateway> running_agent(const GatewayArguments& gateway) {
    const auto configuration = gateway.load();
    if (!configuration) return nullptr;
    auto agent = gateway.reach_agent(configuration->http.socket);
    return agent ? std::move(*agent) : nullptr;
}

}  // namespace

Candidates policy_candidates(const GatewayArguments& /*gateway*/) {
    Candidates names;
    for (const auto& entry : midstream::list_policies(midstream::policy_folders()))
        if (entry.policy) names.emplace(entry.name, entry.policy->description);
    return names;
}

Candidates firewall_candidates(const GatewayArguments& gateway) {
    Candidates names;
    if (const auto configuration = gateway.load())
        for (const auto& firewall : configuration->firewalls)
            names.emplace(firewall.name, "");
    return names;
}

Candidates zone_candidates(const GatewayArguments& gateway) {
    Candidates names;
    if (const auto configuration = gateway.load())
        for (const auto& each : config::endpoints_of(*configuration))
            names.emplace(each.endpoint->availability_zone, "");
    return names;
}

Candidates namespace_candidates(const GatewayArguments& /*gateway*/) {
    Candidates names;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator{kNamedNamespaces, none})
        names.emplace(entry.path().filename().native(), "");
    return names;
}

Candidates operation_candidates(const GatewayArguments& gateway) {
    const auto agent = running_agent(gateway);
    if (agent == nullptr) return {};
    OperationSelection latest;
    latest.at_most = kLatestOperations;
    const auto operations = agent->operations().list(latest);
    if (!operations) return {};
    CellStyle style;
    style.now = kSystemClock.now();
    Candidates ids;
    for (const auto& each : *operations) {
        ids.emplace(each.id, fmt::format("{} {} {}", time_text(each.requested_at, style), to_string(each.type),
                                         to_string(each.status)));
    }
    return ids;
}

Candidates quarantine_candidates(const GatewayArguments& gateway) {
    const auto agent = running_agent(gateway);
    if (agent == nullptr) return {};
    const auto quarantine = agent->quarantines().quarantined({});
    if (!quarantine) return {};
    Candidates addresses;
    for (const auto& each : quarantine->entries)
        addresses.emplace(to_string(each.prefix), each.reason);
    return addresses;
}

}  // namespace headgate::cli
