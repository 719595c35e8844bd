#include "gateway/limited_gateway.h"

#include <cerrno>

namespace headgate::gateway {
namespace {

Error not_allowed(std::string_view what, Role role) {
    return {ErrorKind::Refused,
            fmt::format("not allowed: {} takes the role operator, and this is a {}", what, to_string(role)), EACCES};
}

Error not_theirs(std::string_view firewall) {
    return {ErrorKind::Refused, fmt::format("not allowed: firewall {} is not one of these credentials'", firewall),
            EACCES};
}

/// As what never was: whose it is is not theirs to know.
tl::unexpected<Error> not_there(std::string_view id) {
    return tl::unexpected(Error{ErrorKind::Invalid, fmt::format("there is no operation {}", id), ENOENT});
}

}  // namespace

/// Only one firewall: that is the one they mean. Of several, and where there are others, they have to name it.
Result<EndpointName> LimitedGateway::confined(EndpointName name) const {
    if (!rights_.firewalls) return name;
    if (!name.firewall && rights_.firewalls->size() == 1) name.firewall = rights_.firewalls->front();
    if (!name.firewall) return invalid("firewall: missing, and these credentials are for some of them alone");
    if (rights_.covers(*name.firewall)) return name;
    return tl::unexpected(not_theirs(*name.firewall));
}

Result<OperationOrder> LimitedGateway::allowed(const OperationOrder& order) {
    if (order.type == OperationType::Flush && rights_.role != Role::Operator) {
        return tl::unexpected(not_allowed("a flush", rights_.role));
    }
    auto confined_order = order;
    if (!order.from_operation.empty()) {
        const auto source = find(order.from_operation);
        if (!source) return tl::unexpected(source.error());
        if (order.endpoint == EndpointName{}) return order;
    }
    return confined(order.endpoint).map([&](EndpointName name) {
        confined_order.endpoint = std::move(name);
        return std::move(confined_order);
    });
}

Result<FlowOperation> LimitedGateway::start(const OperationOrder& order) {
    const auto allowed_order = allowed(order);
    if (!allowed_order) return tl::unexpected(whole_.refuse(order, allowed_order.error()));
    return whole_.start(*allowed_order);
}

Result<FlowOperation> LimitedGateway::find(std::string_view id) {
    auto found = whole_.find(id);
    if (found && !rights_.covers(found->endpoint.firewall)) return not_there(id);
    return found;
}

Result<FlowOperation> LimitedGateway::wait(std::string_view id, std::chrono::milliseconds at_most) {
    return find(id).and_then([&](const FlowOperation&) { return whole_.wait(id, at_most); });
}

Result<void> LimitedGateway::cancel(std::string_view id) {
    return find(id).and_then([&](const FlowOperation& operation) -> Result<void> {
        if (operation.type == OperationType::Flush && rights_.role != Role::Operator) {
            return tl::unexpected(not_allowed("to cancel a flush", rights_.role));
        }
        return whole_.cancel(id);
    });
}

Result<std::vector<FlowOperation>> LimitedGateway::list(const OperationSelection& selection) {
    if (!rights_.firewalls) return whole_.list(selection);
    std::vector<FlowOperation> theirs;
    auto page = selection;
    while (theirs.size() < selection.at_most) {
        auto listed = whole_.list(page);
        if (!listed) return listed;
        const bool is_last = listed->size() < page.at_most;
        if (!listed->empty()) page.before_id = listed->back().id;
        for (auto& each : *listed) {
            if (rights_.covers(each.endpoint.firewall) && theirs.size() < selection.at_most) {
                theirs.push_back(std::move(each));
            }
        }
        if (is_last) break;
    }
    return theirs;
}

Result<void> LimitedGateway::for_each_flow(std::string_view id, std::uint64_t first, const StoredFlowSink& take) {
    return find(id).and_then([&](const FlowOperation&) { return whole_.for_each_flow(id, first, take); });
}

Result<std::vector<StoredFlow>> LimitedGateway::flows(std::string_view id, std::uint64_t first, std::size_t count) {
    return find(id).and_then([&](const FlowOperation&) { return whole_.flows(id, first, count); });
}

Result<TableCensus> LimitedGateway::count_flows(const EndpointName& endpoint) {
    return confined(endpoint).and_then([&](const EndpointName& name) { return whole_.count_flows(name); });
}

Result<EndpointPolicy> LimitedGateway::policy_status(const EndpointName& endpoint) {
    return confined(endpoint).and_then([&](const EndpointName& name) { return whole_.policy_status(name); });
}

template <typename Change>
Result<EndpointPolicy> LimitedGateway::change_policy(std::string_view action, const PolicyOrder& order,
                                                     const Change& change) {
    const auto name = rights_.role == Role::Operator
                          ? confined(order.endpoint)
                          : tl::unexpected(not_allowed("a change of the stream exception policy", rights_.role));
    if (!name) return tl::unexpected(whole_.refuse_policy(action, order, name.error()));
    auto confined_order = order;
    confined_order.endpoint = *name;
    return change(confined_order);
}

Result<EndpointPolicy> LimitedGateway::apply_policy(const PolicyOrder& order) {
    return change_policy("policy_apply", order,
                         [&](const PolicyOrder& allowed) { return whole_.apply_policy(allowed); });
}

Result<EndpointPolicy> LimitedGateway::remove_policy(const PolicyOrder& order) {
    return change_policy("policy_remove", order,
                         [&](const PolicyOrder& allowed) { return whole_.remove_policy(allowed); });
}

std::shared_ptr<const config::Configuration> LimitedGateway::configuration() const {
    auto whole = whole_.configuration();
    if (!rights_.firewalls) return whole;
    auto theirs = std::make_shared<config::Configuration>(*whole);
    std::erase_if(theirs->firewalls, [&](const auto& each) { return !rights_.covers(each.name); });
    return theirs;
}

std::vector<StreamExceptionPolicy> LimitedGateway::policies() {
    return whole_.policies();
}

Result<TableCensus> LimitedGateway::usage(const EndpointName& endpoint) {
    return confined(endpoint).and_then([&](const EndpointName& name) { return whole_.usage(name); });
}

Result<std::vector<PolicyCounter>> LimitedGateway::midstream_counters(const EndpointName& endpoint) {
    return confined(endpoint).and_then([&](const EndpointName& name) { return whole_.midstream_counters(name); });
}

Result<void> LimitedGateway::for_each_ended(const EndedFlowQuery& query, const RecordSink& take) {
    if (!rights_.firewalls) return whole_.for_each_ended(query, take);
    const auto& wanted = query.firewalls ? *query.firewalls : *rights_.firewalls;
    for (const auto& each : wanted)
        if (!rights_.covers(each)) return tl::unexpected(not_theirs(each));
    auto confined_query = query;
    confined_query.firewalls = wanted;
    return whole_.for_each_ended(confined_query, take);
}

flowlog::FlowLogCounts LimitedGateway::flow_log_counts() const {
    return whole_.flow_log_counts();
}

bool LimitedGateway::is_ending() const {
    return whole_.is_ending();
}

std::vector<Finding> LimitedGateway::readiness() {
    auto findings = whole_.readiness();
    std::erase_if(findings, [&](const Finding& each) {
        return !each.endpoint.firewall.empty() && !rights_.covers(each.endpoint.firewall);
    });
    return findings;
}

Error LimitedGateway::refuse(const OperationOrder& order, Error error) {
    return whole_.refuse(order, std::move(error));
}

Error LimitedGateway::refuse_policy(std::string_view action, const PolicyOrder& order, Error error) {
    return whole_.refuse_policy(action, order, std::move(error));
}

}  // namespace headgate::gateway
