// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/access/authorized_gateway.h"

#include <algorithm>
#include <cerrno>

#include "base/text.h"
#include "config/settings.h"
#include "gateway/endpoints.h"
#include "gateway/whole_operation_id.h"

namespace headgate::http::access {
namespace {

using gateway::EndedFlowQuery;
using gateway::EndpointPlace;
using gateway::EndpointPolicy;
using gateway::EndpointQuarantine;
using gateway::Finding;
using gateway::OperationRequest;
using gateway::PolicyRequest;
using gateway::QuarantineRequest;
using gateway::RecordSink;
using gateway::TableStatistics;
using operations::QuarantineStep;

Error not_theirs(std::string_view firewall) {
    return {ErrorKind::Forbidden, fmt::format("not allowed: firewall {} is not one of these credentials'", firewall)};
}

/// Does not name the other firewalls, which the caller may not know.
tl::unexpected<Error> not_theirs_alone(const Endpoint& endpoint, std::string_view what) {
    return forbidden(
        "not allowed: {} of firewall {} in {} are those of other firewalls, too, which are in the same network "
        "namespace, and not these credentials'",
        what, endpoint.firewall, endpoint.availability_zone);
}

/// Whether an operation on `here`, in `zone` or in all zones, affects flows of `other`. An endpoint with a conntrack
/// zone owns the flows of that zone, even beside an endpoint with all zones.
bool shares_flows(const EndpointPlace& here, const EndpointPlace& other, std::optional<std::uint16_t> zone) {
    if (!other.conntrack_zone) return !here.conntrack_zone;
    return !zone || zone == other.conntrack_zone;
}

/// Whether its network namespace does not exist now.
bool is_gone(const EndpointPlace& place) {
    return !place.where && place.where.error().kind == ErrorKind::Missing;
}

tl::unexpected<Error> not_known(const Endpoint& endpoint, int number) {
    return system_error(number, fmt::format("whether other firewalls are in the network namespace of firewall {} in {}",
                                            endpoint.firewall, endpoint.availability_zone));
}

/// Same answer as for an id that does not exist, so that it does not reveal another firewall's operation.
tl::unexpected<Error> not_there(std::string_view id) {
    return not_found("there is no operation {}", id);
}

class AuthorizedGateway final : public gateway::ManagedGateway,
                                public gateway::FlowOperations,
                                public gateway::StreamExceptionPolicies,
                                public gateway::Quarantines,
                                public gateway::FlowTables,
                                public gateway::EndedFlows,
                                public gateway::Monitoring,
                                public gateway::Inventory {
  public:
    AuthorizedGateway(ManagedGateway& whole, const Request& request, ReplayGuard& replays)
        : whole_(whole),
          permissions_(request.permissions),
          caller_(request.caller),
          signature_(request.signature),
          replays_(replays) {}

    FlowOperations& operations() override { return *this; }
    StreamExceptionPolicies& policies() override { return *this; }
    Quarantines& quarantines() override { return *this; }
    FlowTables& tables() override { return *this; }
    EndedFlows& ended_flows() override { return *this; }
    Monitoring& monitoring() override { return *this; }
    Inventory& inventory() override { return *this; }
    gateway::RefusedRequests& refused_requests() override { return whole_.refused_requests(); }

    Result<FlowOperation> start(const OperationRequest& request) override {
        const auto allowed_request = allowed(request);
        if (!allowed_request) return tl::unexpected(refused_requests().refuse(request, allowed_request.error()));
        return signature_ ? start_once(*allowed_request) : whole_.operations().start(*allowed_request);
    }

    Result<FlowOperation> find(std::string_view id) override {
        // Among the caller's own operations: a short id must not reveal others.
        ASSIGN_OR_RETURN(const auto whole_id, gateway::whole_operation_id(*this, id));
        if (permissions_.firewalls && gateway::is_short_id(whole_id)) return not_there(id);
        auto found = whole_.operations().find(whole_id);
        if (found && !covers(found->endpoint)) return not_there(id);
        return found;
    }

    Result<FlowOperation> wait(std::string_view id, std::chrono::milliseconds at_most) override {
        return find(id).and_then(
            [&](const FlowOperation& operation) { return whole_.operations().wait(operation.id, at_most); });
    }

    Result<void> cancel(std::string_view id) override {
        ASSIGN_OR_RETURN(const auto operation, find(id));
        if (kind_of(operation.type).changes_flows || !operation.caller.is_same_as(caller_)) {
            RETURN_IF_ERROR(check_operator("to cancel a flush, or what others have begun,"));
        }
        return whole_.operations().cancel(operation.id);
    }

    Result<std::vector<FlowOperation>> list(const OperationSelection& selection) override {
        if (!permissions_.firewalls) return whole_.operations().list(selection);
        auto theirs = selection;
        theirs.one_off_runs = false;
        if (!theirs.firewalls) theirs.firewalls = permissions_.firewalls;
        std::erase_if(*theirs.firewalls, [&](const std::string& each) { return !permissions_.covers(each); });
        return whole_.operations().list(theirs);
    }

    Result<void> for_each_block(std::string_view id, std::uint64_t first, const PackedFlowsSink& sink) override {
        return find_with_flows(id).and_then([&](const FlowOperation& operation) {
            return whole_.operations().for_each_block(operation.id, first, sink);
        });
    }

    Result<EndpointPolicy> status(const EndpointName& endpoint) override {
        return confined(endpoint).and_then([&](const auto& name) { return whole_.policies().status(name); });
    }

    Result<EndpointPolicy> apply(const PolicyRequest& request) override {
        return allowed(operations::PolicyAction::Apply, request).and_then([&](const auto& theirs) {
            return whole_.policies().apply(theirs);
        });
    }

    Result<EndpointPolicy> remove(const PolicyRequest& request) override {
        return allowed(operations::PolicyAction::Remove, request).and_then([&](const auto& theirs) {
            return whole_.policies().remove(theirs);
        });
    }

    [[nodiscard]] Result<void> may_change(const EndpointName& endpoint) const override {
        return changeable(endpoint, kPolicyChange).map([](const auto&) {});
    }

    /// The entries apply to all firewalls in the network namespace.
    Result<EndpointQuarantine> quarantined(const EndpointName& endpoint) override {
        ASSIGN_OR_RETURN(const auto name, confined(endpoint));
        RETURN_IF_ERROR(covers_affected(name, Affected::Rules));
        return whole_.quarantines().quarantined(name);
    }

    Result<EndpointQuarantine> add(const QuarantineRequest& request) override {
        return allowed(QuarantineStep::Add, request).and_then([&](const auto& theirs) {
            return whole_.quarantines().add(theirs);
        });
    }

    Result<EndpointQuarantine> extend(const QuarantineRequest& request) override {
        return allowed(QuarantineStep::Extend, request).and_then([&](const auto& theirs) {
            return whole_.quarantines().extend(theirs);
        });
    }

    Result<EndpointQuarantine> remove(const QuarantineRequest& request) override {
        return allowed(QuarantineStep::Remove, request).and_then([&](const auto& theirs) {
            return whole_.quarantines().remove(theirs);
        });
    }

    Result<TableStatistics> statistics(const EndpointName& endpoint) override {
        ASSIGN_OR_RETURN(const auto name, confined(endpoint));
        RETURN_IF_ERROR(covers_affected(name, Affected::Flows));
        return whole_.tables().statistics(name);
    }

    Result<void> for_each_ended(const EndedFlowQuery& query, const RecordSink& sink) override {
        if (!permissions_.firewalls) return whole_.ended_flows().for_each_ended(query, sink);
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
        return whole_.ended_flows().for_each_ended(confined_query, sink);
    }

    [[nodiscard]] std::vector<EndpointPlace> places() const override {
        auto places = whole_.monitoring().places();
        std::erase_if(places, [&](const EndpointPlace& each) { return !permissions_.covers(each.endpoint.firewall); });
        return places;
    }

    Result<TableStatistics> usage(const EndpointName& endpoint) override {
        return confined(endpoint).and_then([&](const auto& name) { return whole_.monitoring().usage(name); });
    }

    Result<std::vector<PolicyCounter>> midstream_counters(const EndpointName& endpoint) override {
        return confined(endpoint).and_then(
            [&](const auto& name) { return whole_.monitoring().midstream_counters(name); });
    }

    Result<std::vector<QuarantineEntry>> quarantine_entries(const EndpointName& endpoint) override {
        return confined(endpoint).and_then(
            [&](const auto& name) { return whole_.monitoring().quarantine_entries(name); });
    }

    [[nodiscard]] flowlog::FlowLogCounts flow_log_counts() const override {
        return is_whole() ? whole_.monitoring().flow_log_counts() : flowlog::FlowLogCounts{};
    }

    std::vector<Finding> readiness() override {
        auto findings = whole_.monitoring().readiness();
        std::erase_if(findings, [&](const Finding& each) {
            return !each.endpoint.firewall.empty() && !permissions_.covers(each.endpoint.firewall);
        });
        if (is_whole()) return findings;
        for (auto& each : findings)  // may contain paths, which concern no firewall
            if (!each.is_good() && each.endpoint.firewall.empty())
                each.fault = "fails; the agent's own log has the reason";
        return findings;
    }

    [[nodiscard]] bool is_ending() const override { return whole_.monitoring().is_ending(); }

    [[nodiscard]] std::shared_ptr<const config::Configuration> configuration() const override {
        auto whole = whole_.inventory().configuration();
        if (!permissions_.firewalls) return whole;
        auto theirs = std::make_shared<config::Configuration>(config::visible_when_confined(*whole));
        std::erase_if(theirs->firewalls, [&](const auto& each) { return !permissions_.covers(each.name); });
        return theirs;
    }

    [[nodiscard]] bool is_whole() const override { return !permissions_.firewalls && whole_.inventory().is_whole(); }

    std::vector<StreamExceptionPolicy> named_policies() override { return whole_.inventory().named_policies(); }

  private:
    /// What an operation on an endpoint affects.
    enum class Affected : std::uint8_t {
        Flows,  ///< of its conntrack zone, or of all zones if it has none
        Rules,  ///< of its whole network namespace
    };

    [[nodiscard]] Result<void> check_operator(std::string_view what) const {
        if (permissions_.role == Role::Operator) return {};
        return forbidden("not allowed: {} requires the role operator, and this is a {}", what,
                         to_string(permissions_.role));
    }

    /// A one-off run in a network namespace belongs to no firewall, even if the name is the same.
    [[nodiscard]] bool covers(const Endpoint& endpoint) const {
        return !permissions_.firewalls ||
               (endpoint.network_namespace.empty() && permissions_.covers(endpoint.firewall));
    }

    /// The caller's only firewall is the default; with several, or other ones present, the name is required.
    [[nodiscard]] Result<EndpointName> confined(EndpointName name) const {
        if (!permissions_.firewalls) return name;
        if (!name.firewall && permissions_.firewalls->size() == 1) name.firewall = permissions_.firewalls->front();
        if (!name.firewall) return invalid("firewall: missing, and these credentials are for some of them alone");
        if (permissions_.covers(*name.firewall)) return name;
        return tl::unexpected(not_theirs(*name.firewall));
    }

    /// Permissions apply to what is affected, not to names: two firewalls may share a network namespace, possibly under
    /// two names.
    [[nodiscard]] Result<void> covers_affected(const EndpointName& name, Affected affected,
                                               std::optional<std::uint16_t> only_zone = {}) const {
        if (!permissions_.firewalls) return {};
        const auto configuration = whole_.inventory().configuration();
        ASSIGN_OR_RETURN(const auto choice,
                         config::find_endpoint(*configuration, name.firewall, name.availability_zone));
        const Endpoint endpoint{choice.firewall->name, choice.endpoint->availability_zone, ""};
        const auto places = whole_.monitoring().places();
        const auto here = std::ranges::find(places, endpoint, &EndpointPlace::endpoint);
        if (here == places.end()) return not_known(endpoint, ENOENT);
        if (!here->where) return tl::unexpected(here->where.error());
        const auto zone = here->conntrack_zone ? here->conntrack_zone : only_zone;
        for (const auto& other : places) {
            if (permissions_.covers(other.endpoint.firewall)) continue;
            if (is_gone(other)) continue;
            if (!other.where) return not_known(endpoint, other.where.error().number);
            if (*other.where != *here->where) continue;
            if (affected == Affected::Rules) return not_theirs_alone(endpoint, "the rules");
            if (shares_flows(*here, other, zone)) return not_theirs_alone(endpoint, "the flows");
        }
        return {};
    }

    /// The records of a firewall include those of other firewalls in its namespaces.
    [[nodiscard]] Result<void> covers_flows_of(std::string_view firewall) const {
        for (const auto& place : whole_.monitoring().places()) {
            if (place.endpoint.firewall != firewall || is_gone(place)) continue;
            RETURN_IF_ERROR(covers_affected(gateway::name_of(place.endpoint), Affected::Flows));
        }
        return {};
    }

    [[nodiscard]] Result<FlowOperation> find_with_flows(std::string_view id) {
        ASSIGN_OR_RETURN(auto found, find(id));
        const auto affected = has_verdicts(found) ? Affected::Rules : Affected::Flows;
        RETURN_IF_ERROR(covers_affected(gateway::name_of(found.endpoint), affected, found.query.zone));
        return found;
    }

    [[nodiscard]] Result<OperationRequest> allowed(const OperationRequest& request) {
        if (const auto& kind = kind_of(request.type); kind.changes_flows || kind.has_verdicts) {
            RETURN_IF_ERROR(check_operator(fmt::format("a {}", kind.verb)));
        }
        return permissions_.firewalls ? confined_request(request) : request;
    }

    [[nodiscard]] Result<OperationRequest> confined_request(const OperationRequest& request) {
        auto theirs = request;
        auto zone = request.query.zone;
        if (!request.from_operation.empty()) {
            ASSIGN_OR_RETURN(const auto source, find_with_flows(request.from_operation));
            theirs.from_operation = source.id;
            if (request.endpoint == EndpointName{}) theirs.endpoint = gateway::name_of(source.endpoint);
            if (!zone) zone = source.query.zone;
        }
        ASSIGN_OR_RETURN(auto name, confined(theirs.endpoint));
        theirs.endpoint = std::move(name);
        const auto rules = covers_affected(theirs.endpoint, Affected::Rules);
        const bool needs_rules = request.stream_exception_policy || kind_of(request.type).has_verdicts;
        const bool flows_will_do = !rules && !needs_rules;
        RETURN_IF_ERROR(flows_will_do ? covers_affected(theirs.endpoint, Affected::Flows, zone) : rules);
        theirs.own_flows_alone = !rules;
        return theirs;
    }

    [[nodiscard]] Result<FlowOperation> start_once(OperationRequest request) {
        auto claim = replays_.claim(*signature_, request.token, kSystemClock.up());
        if (!claim) return tl::unexpected(refused_requests().refuse(request, std::move(claim.error())));
        if (claim->operation()) return whole_.operations().find(*claim->operation());
        // The store keeps the token: an agent that starts later recognises the request by it.
        if (request.token.empty()) request.token = compound_key({"signed", signature_->hex});
        auto started = whole_.operations().start(request);
        if (started) claim->commit(started->id);
        return started;
    }

    static constexpr std::string_view kPolicyChange = "a change of the stream exception policy";

    /// The endpoint's name, if the caller may change what applies to the whole namespace.
    [[nodiscard]] Result<EndpointName> changeable(const EndpointName& endpoint, std::string_view change) const {
        RETURN_IF_ERROR(check_operator(change));
        ASSIGN_OR_RETURN(auto name, confined(endpoint));
        RETURN_IF_ERROR(covers_affected(name, Affected::Rules));
        return name;
    }

    [[nodiscard]] Result<PolicyRequest> allowed(operations::PolicyAction action, const PolicyRequest& request) {
        auto name = changeable(request.endpoint, kPolicyChange);
        if (!name) return tl::unexpected(refused_requests().refuse_policy(action, request, std::move(name.error())));
        auto theirs = request;
        theirs.endpoint = std::move(*name);
        return theirs;
    }

    [[nodiscard]] Result<QuarantineRequest> allowed(QuarantineStep step, const QuarantineRequest& request) {
        auto name = changeable(request.endpoint, "a change of the quarantine");
        if (!name) return tl::unexpected(refused_requests().refuse_quarantine(step, request, std::move(name.error())));
        auto theirs = request;
        theirs.endpoint = std::move(*name);
        return theirs;
    }

    ManagedGateway& whole_;
    const Permissions permissions_;
    const Caller caller_;
    const std::optional<RequestSignature> signature_;  ///< of the request; a copy of it starts nothing
    ReplayGuard& replays_;
};

}  // namespace

std::unique_ptr<gateway::ManagedGateway> authorized(gateway::ManagedGateway& whole, const Request& request,
                                                    ReplayGuard& replays) {
    return std::make_unique<AuthorizedGateway>(whole, request, replays);
}

}  // namespace headgate::http::access
