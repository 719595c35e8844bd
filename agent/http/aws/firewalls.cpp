// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <optional>
#include <vector>

#include "base/scalars.h"
#include "flow/json_members.h"
#include "http/aws/actions.h"
#include "http/aws/firewall_names.h"
#include "http/aws/scope.h"
#include "http/aws/shapes.h"

namespace headgate::http::aws {
namespace {

using config::Configuration;
using config::Firewall;
using config::FirewallEndpoint;

constexpr std::string_view kFirewallList = "firewalls";

struct FirewallListing {
    std::vector<std::string> vpc_ids;   ///< empty: any
    std::optional<std::string> behind;  ///< name of the last firewall on the previous page
    std::int32_t page = kLargestPage;
};

Result<FirewallListing> read_firewall_listing(JsonReader& reader) {
    FirewallListing listing;
    reader.optional_texts("VpcIds", listing.vpc_ids);
    reader.optional_parsed("NextToken", listing.behind,
                           [](std::string_view token) { return parse_next_token(kFirewallList, token); });
    read_number(reader, "MaxResults", listing.page, 1, kLargestPage);
    return reader.finish().map([&] { return std::move(listing); });
}

/// Those after the one that the token names, which may have been removed since.
Result<std::vector<Firewall>> firewalls_behind(const Configuration& configuration, const FirewallListing& listing) {
    auto first = configuration.firewalls.begin();
    const auto end = configuration.firewalls.end();
    if (listing.behind) {
        first = std::ranges::find(configuration.firewalls, *listing.behind, &Firewall::name);
        if (first == end) return invalid("NextToken: there is no firewall {} any more", *listing.behind);
        ++first;
    }
    std::vector<Firewall> wanted;
    std::copy_if(first, end, std::back_inserter(wanted), [&](const Firewall& each) {
        return listing.vpc_ids.empty() ||
               std::ranges::find(listing.vpc_ids, vpc_id(each.name)) != listing.vpc_ids.end();
    });
    return wanted;
}

void add_subnet(JsonMembers& members, const Firewall& firewall, const FirewallEndpoint& endpoint) {
    members.text("SubnetId", subnet_id(firewall.name, endpoint.availability_zone));
}

void add_firewall(JsonMembers& members, const Configuration& configuration, const Firewall& firewall) {
    members.text("FirewallName", firewall.name);
    members.text("FirewallArn", firewall_arn(configuration, firewall.name));
    members.text("FirewallId", uuid_of(firewall_arn(configuration, firewall.name)));
    members.text("FirewallPolicyArn", firewall_policy_arn(configuration, firewall.name));
    members.text("VpcId", vpc_id(firewall.name));
    members.objects("SubnetMappings", firewall.endpoints, [&](JsonMembers& mapping, const FirewallEndpoint& endpoint) {
        add_subnet(mapping, firewall, endpoint);
    });
}

void add_firewall_status(JsonMembers& members, const Firewall& firewall) {
    members.text("Status", "READY");
    members.text("ConfigurationSyncStateSummary", "IN_SYNC");
    members.object("SyncStates", [&](JsonMembers& zones) {
        for (const auto& endpoint : firewall.endpoints) {
            zones.object(endpoint.availability_zone, [&](JsonMembers& state) {
                state.object("Attachment", [&](JsonMembers& attachment) {
                    add_subnet(attachment, firewall, endpoint);
                    attachment.text("EndpointId", vpc_endpoint_id(firewall.name, endpoint.availability_zone));
                    attachment.text("Status", "READY");
                });
            });
        }
    });
}

/// Changes with the firewall's description.
std::string update_token(const Configuration& configuration, const Firewall& firewall) {
    return uuid_of(json_of([&](JsonMembers& members) { add_firewall(members, configuration, firewall); }));
}

}  // namespace

Result<std::string> list_firewalls(const Request& /*request*/, JsonReader& reader, gateway::Inventory& inventory) {
    ASSIGN_OR_RETURN(const auto listing, read_firewall_listing(reader));
    const auto configuration = inventory.configuration();
    ASSIGN_OR_RETURN(auto listed, firewalls_behind(*configuration, listing));
    const auto page = static_cast<std::size_t>(listing.page);
    const bool is_last = listed.size() <= page;
    if (!is_last) listed.resize(page);
    return json_of([&](JsonMembers& members) {
        members.objects("Firewalls", listed, [&](JsonMembers& item, const Firewall& firewall) {
            item.text("FirewallName", firewall.name);
            item.text("FirewallArn", firewall_arn(*configuration, firewall.name));
        });
        if (!is_last) members.text("NextToken", next_token(kFirewallList, listed.back().name));
    });
}

Result<std::string> describe_firewall(const Request& /*request*/, JsonReader& reader, gateway::Inventory& inventory) {
    ResourceReference reference;
    read_resource_reference(reader, kFirewall, reference);
    RETURN_IF_ERROR(reader.finish());
    const auto configuration = inventory.configuration();
    return find_resource(*configuration, kFirewall, reference).map([&](const Firewall& firewall) {
        return json_of([&](JsonMembers& members) {
            members.text("UpdateToken", update_token(*configuration, firewall));
            members.object("Firewall", [&](JsonMembers& item) { add_firewall(item, *configuration, firewall); });
            members.object("FirewallStatus", [&](JsonMembers& item) { add_firewall_status(item, firewall); });
        });
    });
}

}  // namespace headgate::http::aws
