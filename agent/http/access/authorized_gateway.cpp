// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/access/authorized_gateway.h"

#include <algorithm>
#include <cerrno>

#include "base/compound_key.h"
#include "gateway/chosen_endpoint.h"

namespace headgate::http::access {

using gateway::EndedFlowQuery;
using gateway::EndpointPlace;
using gateway::EndpointPolicy;
using gateway::Finding;
using gateway::OperationRequest;
using gateway::PolicyRequest;
using gateway::RecordSink;
using gateway::TableStatistics;

namespace {

Error not_allowed(std::string_view what, Role role) {
    return {ErrorKind::Refused,
            fmt::format("not allowed: {} takes the role operator, and this is a {}", what, to_string(role)), EACCES};
}

Error not_theirs(std::string_view firewall) {
    return {ErrorKind::Refused, fmt::format("not allowed: firewall {} is not one of these credentials'", firewall),
            EACCES};
}

/// Does not name the other firewalls, which the caller may not know.
tl::unexpected<Error> not_theirs_alone(const Endpoint& endpoint, std::string_view what) {
    return tl::unexpected(Error{ErrorKind::Refused,
                                fmt::format("not allowed: {} of firewall {} in {} are those of other firewalls, too, "
                                            "which are in the same network namespace, and not these credentials'",
                                            what, endpoint.firewall, endpoint.availability_zone),
                                EACCES});
}

/// Whether an operation on `here`, in `zone` or in all zones, affects flows of `other`. An endpoint with a conntrack
/// zone owns the flows of that zone, even beside an endpoint with all zones.
bool shares_flows(const EndpointPlace& here, const EndpointPlace& other, std::optional<std::uint16_t> zone) {
    if (!other.conntrack_zone) return !here.conntrack_zone;
    return !zone || zone == other.conntrack_zone;
}

tl::unexpected<Error> not_known(const Endpoint& endpoint, int number) {
    return system_error(number, fmt::format("whether other firewalls are in the network namespace of firewall {} in {}",
                                            endpoint.firewall, endpoint.availability_zone));
}

/// Same answer as for an id that does not exist, so that it does not reveal another firewall's operation.
tl::unexpected<Error> not_there(std::string_view id) {
    return tl::unexpected(Error{ErrorKind::Invalid, fmt::format("there is no operation {}", id), ENOENT});
}

}  // namespace

/// The caller's only firewall is the default; with several, or other ones present, the name is required.
Result<EndpointName> AuthorizedGateway::confined(EndpointName name) const {
    if (!permissions_.firewalls) return name;
    if (!name.firewall && permissions_.firewalls->size() == 1) name.firewall = permissions_.firewalls->front();
    if (!name.firewall) return invalid("firewall: missing, and these credentials are for some of them alone");
    if (permissions_.covers(*name.firewall)) return name;
    return tl::unexpected(not_theirs(*name.firewall));
}

/// A one-off run in a network namespace belongs to no firewall, even if the name is the same.
bool AuthorizedGateway::covers(const Endpoint& endpoint) const {
    return !permissions_.firewalls || (endpoint.network_namespace.empty() && permissions_.covers(endpoint.firewall));
}

/// Permissions apply to what is affected, not to names: two firewalls may share a network namespace, possibly under two
/// names.
Result<void> AuthorizedGateway::covers_affected(const EndpointName& name, Affected affected,
                                                std::optional<std::uint16_t> only_zone) const {
    if (!permissions_.firewalls) return {};
    const auto configuration = whole_.configuration();
    ASSIGN_OR_RETURN(const auto choice, config::find_endpoint(*configuration, name.firewall, name.availability_zone));
    const Endpoint endpoint{choice.firewall->name, choice.endpoint->availability_zone, ""};
    const auto places = whole_.places();
    const auto here = std::ranges::find(places, endpoint, &EndpointPlace::endpoint);
    if (here == places.end()) return not_known(endpoint, ENOENT);
    if (!here->where) return tl::unexpected(here->where.error());
    const auto zone = here->conntrack_zone ? here->conntrack_zone : only_zone;
    for (const auto& other : places) {
        if (permissions_.covers(other.endpoint.firewall)) continue;
        if (!other.where && other.where.error().number == ENOENT) continue;
        if (!other.where) return not_known(endpoint, other.where.error().number);
        if (*other.where != *here->where) continue;
        if (affected == Affected::Rules) return not_theirs_alone(endpoint, "the rules");
        if (shares_flows(*here, other, zone)) return not_theirs_alone(endpoint, "the flows");
    }
    return {};
}

Result<void> AuthorizedGateway::covers_flows_of(const FlowOperation& operation) const {
    return covers_affected(gateway::name_of(operation.endpoint), Affected::Flows, operation.query.zone);
}

Result<OperationRequest> AuthorizedGateway::allowed(const OperationRequest& request) {
    if (const auto& kind = kind_of(request.type); kind.changes_flows && permissions_.role != Role::Operator) {
        return tl::unexpected(not_allowed(fmt::format("a {}", kind.verb), permissions_.role));
    }
    return permissions_.firewalls ? confined_request(request) : request;
}

Result<OperationRequest> AuthorizedGateway::confined_request(const OperationRequest& request) {
    auto theirs = request;
    auto zone = request.query.zone;
    if (!request.from_operation.empty()) {
        ASSIGN_OR_RETURN(const auto source, find_with_flows(request.from_operation));
        if (request.endpoint == EndpointName{}) theirs.endpoint = gateway::name_of(source.endpoint);
        if (!zone) zone = source.query.zone;
    }
    ASSIGN_OR_RETURN(auto name, confined(theirs.endpoint));
    theirs.endpoint = std::move(name);
    const auto rules = covers_affected(theirs.endpoint, Affected::Rules);
    const bool flows_will_do = !rules && !request.stream_exception_policy;
    RETURN_IF_ERROR(flows_will_do ? covers_affected(theirs.endpoint, Affected::Flows, zone) : rules);
    theirs.own_flows_alone = !rules;
    return theirs;
}

Result<FlowOperation> AuthorizedGateway::start(const OperationRequest& request) {
    const auto allowed_request = allowed(request);
    if (!allowed_request) return tl::unexpected(whole_.refuse(request, allowed_request.error()));
    return signature_ ? start_once(*allowed_request) : whole_.start(*allowed_request);
}

Result<FlowOperation> AuthorizedGateway::start_once(OperationRequest request) {
    auto claim = replays_->claim(*signature_, request.token, kSystemClock.up());
    if (!claim) return tl::unexpected(whole_.refuse(request, std::move(claim.error())));
    if (claim->operation()) return whole_.find(*claim->operation());
    // The store keeps the token: an agent that starts later recognises the request by it.
    if (request.token.empty()) request.token = compound_key({"signed", signature_->hex});
    auto started = whole_.start(request);
    if (started) claim->commit(started->id);
    return started;
}

Result<FlowOperation> AuthorizedGateway::find(std::string_view id) {
    auto found = whole_.find(id);
    if (found && !covers(found->endpoint)) return not_there(id);
    return found;
}

Result<FlowOperation> AuthorizedGateway::find_with_flows(std::string_view id) {
    return find(id).and_then(
        [&](FlowOperation&& found) { return covers_flows_of(found).map([&] { return std::move(found); }); });
}

Result<FlowOperation> AuthorizedGateway::wait(std::string_view id, std::chrono::milliseconds at_most) {
    return find(id).and_then([&](const FlowOperation&) { return whole_.wait(id, at_most); });
}

Result<void> AuthorizedGateway::cancel(std::string_view id) {
    return find(id).and_then([&](const FlowOperation& operation) -> Result<void> {
        const bool is_theirs = operation.caller.face == caller_.face && operation.caller.user == caller_.user;
        if (permissions_.role != Role::Operator && (kind_of(operation.type).changes_flows || !is_theirs)) {
            return tl::unexpected(not_allowed("to cancel a flush, or what others have begun,", permissions_.role));
        }
        return whole_.cancel(id);
    });
}

Result<std::vector<FlowOperation>> AuthorizedGateway::list(const OperationSelection& selection) {
    if (!permissions_.firewalls) return whole_.list(selection);
    auto theirs = selection;
    theirs.one_off_runs = false;
    if (!theirs.firewalls) theirs.firewalls = permissions_.firewalls;
    std::erase_if(*theirs.firewalls, [&](const std::string& each) { return !permissions_.covers(each); });
    return whole_.list(theirs);
}

Result<void> AuthorizedGateway::for_each_flow(std::string_view id, std::uint64_t first, const StoredFlowSink& take) {
    return find_with_flows(id).and_then([&](const FlowOperation&) { return whole_.for_each_flow(id, first, take); });
}

Result<std::vector<StoredFlow>> AuthorizedGateway::flows(std::string_view id, std::uint64_t first, std::size_t count) {
    return find_with_flows(id).and_then([&](const FlowOperation&) { return whole_.flows(id, first, count); });
}

Result<TableStatistics> AuthorizedGateway::count_flows(const EndpointName& endpoint) {
    return confined(endpoint).and_then([&](const EndpointName& name) {
        return covers_affected(name, Affected::Flows).and_then([&] { return whole_.count_flows(name); });
    });
}

Result<EndpointPolicy> AuthorizedGateway::policy_status(const EndpointName& endpoint) {
    return confined(endpoint).and_then([&](const EndpointName& name) { return whole_.policy_status(name); });
}

template <typename Change>
Result<EndpointPolicy> AuthorizedGateway::change_policy(std::string_view action, const PolicyRequest& request,
                                                        const Change& change) {
    const auto name = may_change_policy(request.endpoint).and_then([&] { return confined(request.endpoint); });
    if (!name) return tl::unexpected(whole_.refuse_policy(action, request, name.error()));
    auto confined_request = request;
    confined_request.endpoint = *name;
    return change(confined_request);
}

/// A policy applies to the whole namespace.
Result<void> AuthorizedGateway::may_change_policy(const EndpointName& endpoint) const {
    if (permissions_.role != Role::Operator) {
        return tl::unexpected(not_allowed("a change of the stream exception policy", permissions_.role));
    }
    return confined(endpoint).and_then(
        [&](const EndpointName& name) { return covers_affected(name, Affected::Rules); });
}

Result<EndpointPolicy> AuthorizedGateway::apply_policy(const PolicyRequest& request) {
    return change_policy("policy_apply", request,
                         [&](const PolicyRequest& allowed) { return whole_.apply_policy(allowed); });
}

Result<EndpointPolicy> AuthorizedGateway::remove_policy(const PolicyRequest& request) {
    return change_policy("policy_remove", request,
                         [&](const PolicyRequest& allowed) { return whole_.remove_policy(allowed); });
}

std::shared_ptr<const config::Configuration> AuthorizedGateway::configuration() const {
    auto whole = whole_.configuration();
    if (!permissions_.firewalls) return whole;
    auto theirs = std::make_shared<config::Configuration>(*whole);
    std::erase_if(theirs->firewalls, [&](const auto& each) { return !permissions_.covers(each.name); });
    const config::Configuration unsaid;
    theirs->state_dir = unsaid.state_dir;
    theirs->disk_budget = unsaid.disk_budget;
    theirs->protected_filters = unsaid.protected_filters;
    theirs->http = unsaid.http;
    theirs->flow_log = unsaid.flow_log;
    theirs->audit_log = unsaid.audit_log;
    theirs->files = unsaid.files;
    return theirs;
}

bool AuthorizedGateway::is_whole() const {
    return !permissions_.firewalls && whole_.is_whole();
}

std::vector<EndpointPlace> AuthorizedGateway::places() const {
    auto places = whole_.places();
    std::erase_if(places, [&](const EndpointPlace& each) { return !permissions_.covers(each.endpoint.firewall); });
    return places;
}

std::vector<StreamExceptionPolicy> AuthorizedGateway::policies() {
    return whole_.policies();
}

Result<TableStatistics> AuthorizedGateway::usage(const EndpointName& endpoint) {
    return confined(endpoint).and_then([&](const EndpointName& name) { return whole_.usage(name); });
}

Result<std::vector<PolicyCounter>> AuthorizedGateway::midstream_counters(const EndpointName& endpoint) {
    return confined(endpoint).and_then([&](const EndpointName& name) { return whole_.midstream_counters(name); });
}

Result<void> AuthorizedGateway::for_each_ended(const EndedFlowQuery& query, const RecordSink& take) {
    if (!permissions_.firewalls) return whole_.for_each_ended(query, take);
    auto wanted = query.firewalls ? *query.firewalls : *permissions_.firewalls;
    for (const auto& each : wanted)
        if (!permissions_.covers(each)) return tl::unexpected(not_theirs(each));
    Result<void> refused;
    std::erase_if(wanted, [&](const std::string& each) {
        auto covered = covers_flows_of(each);
        if (!covered) refused = covered;
        return !covered;
    });
    if (!refused && (query.firewalls || wanted.empty())) return refused;
    auto confined_query = query;
    confined_query.firewalls = std::move(wanted);
    return whole_.for_each_ended(confined_query, take);
}

/// The records of a firewall include those of other firewalls in its namespaces.
Result<void> AuthorizedGateway::covers_flows_of(std::string_view firewall) const {
    for (const auto& place : whole_.places()) {
        if (place.endpoint.firewall != firewall || (!place.where && place.where.error().number == ENOENT)) continue;
        RETURN_IF_ERROR(covers_affected(gateway::name_of(place.endpoint), Affected::Flows));
    }
    return {};
}

flowlog::FlowLogCounts AuthorizedGateway::flow_log_counts() const {
    return is_whole() ? whole_.flow_log_counts() : flowlog::FlowLogCounts{};
}

bool AuthorizedGateway::is_ending() const {
    return whole_.is_ending();
}

std::vector<Finding> AuthorizedGateway::readiness() {
    auto findings = whole_.readiness();
    std::erase_if(findings, [&](const Finding& each) {
        return !each.endpoint.firewall.empty() && !permissions_.covers(each.endpoint.firewall);
    });
    if (is_whole()) return findings;
    for (auto& each : findings)  // may contain paths, which concern no firewall
        if (!each.is_good() && each.endpoint.firewall.empty()) each.fault = "fails; the agent's own log tells why";
    return findings;
}

Error AuthorizedGateway::refuse(const OperationRequest& request, Error error) {
    return whole_.refuse(request, std::move(error));
}

Error AuthorizedGateway::refuse_policy(std::string_view action, const PolicyRequest& request, Error error) {
    return whole_.refuse_policy(action, request, std::move(error));
}

}  // namespace headgate::http::access
