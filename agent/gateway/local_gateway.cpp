// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/local_gateway.h"

#include "conntrack/expiry/flow_expiry.h"
#include "gateway/readiness.h"
#include "midstream/policy_library.h"

namespace headgate::gateway {

LocalGateway::LocalGateway(config::Configuration configuration, flowlog::StandardOutput output,
                           const flowlog::LogCallback& log, const conntrack::FastPaths& fast)
    : endpoints_(std::make_shared<const config::Configuration>(std::move(configuration)), fast),
      state_dir_(endpoints_.configuration()->state_dir),
      audit_(endpoints_.configuration()->audit_log, clock_),
      flow_log_(endpoints_.configuration()->flow_log, output, log, fast.expiry ? fast.expiry->expired() : nullptr),
      operations_(endpoints_, clock_, audit_, flow_log_, log) {}

std::shared_ptr<const config::Configuration> LocalGateway::configuration() const {
    return endpoints_.configuration();
}

void LocalGateway::configure(config::Configuration configuration) {
    configuration.state_dir = state_dir_;
    auto shared = std::make_shared<const config::Configuration>(std::move(configuration));
    audit_.write_to(shared->audit_log);
    flow_log_.configure(shared->flow_log);
    operations_.configure(*shared);
    endpoints_.configure(std::move(shared));
}

bool LocalGateway::is_drained() {
    if (!operations_.is_drained()) return false;
    is_ending_ = true;
    flow_log_.end_looking_on();
    return true;
}

void LocalGateway::reopen_logs() {
    audit_.reopen();
    flow_log_.reopen();
}

std::vector<StreamExceptionPolicy> LocalGateway::named_policies() {
    std::vector<StreamExceptionPolicy> named;
    for (auto& entry : midstream::list_policies(midstream::policy_folders()))
        if (entry.policy) named.push_back(std::move(*entry.policy));
    return named;
}

Result<TableStatistics> LocalGateway::statistics(const EndpointName& endpoint) {
    return endpoints_.find(endpoint).and_then([&](const auto& found) { return found->statistics(clock_); });
}

std::vector<EndpointPlace> LocalGateway::places() const {
    std::vector<EndpointPlace> places;
    for (const auto& each : endpoints_.all())
        places.push_back({each->names(), each->conntrack_zone(), each->namespace_id()});
    return places;
}

Result<TableStatistics> LocalGateway::usage(const EndpointName& endpoint) {
    return endpoints_.find(endpoint).and_then([](const auto& found) { return found->usage(); });
}

Result<std::vector<PolicyCounter>> LocalGateway::midstream_counters(const EndpointName& endpoint) {
    ASSIGN_OR_RETURN(const auto found, endpoints_.find(endpoint));
    return found->open_ruleset().and_then([](const std::unique_ptr<Ruleset>& ruleset) { return ruleset->counters(); });
}

Result<std::vector<QuarantineEntry>> LocalGateway::quarantine_entries(const EndpointName& endpoint) {
    return quarantines_.quarantined(endpoint).map(
        [](EndpointQuarantine&& quarantine) { return std::move(quarantine.entries); });
}

std::vector<Finding> LocalGateway::readiness() {
    auto findings = endpoint_findings(endpoints_);
    findings.push_back({"store", {}, fault_of(operations_.ready())});
    findings.push_back({"audit_log", {}, fault_of(audit_.ready())});
    std::string faults;
    for (const auto& [name, sink] : flow_log_.counts().sinks)
        if (!sink.fault.empty()) faults += fmt::format("{}{}: {}", faults.empty() ? "" : "; ", name, sink.fault);
    findings.push_back({"flow_log", {}, std::move(faults)});
    return findings;
}

Error LocalGateway::refuse(const OperationRequest& request, Error error) {
    return operations_.refuse(request, std::move(error));
}

template <typename Change>
Error LocalGateway::record_refusal(const Change& change, Error error) {
    auto refusal = error;
    refusal.kind = ErrorKind::Refused;  // not FAILED: nothing was attempted
    // The request is refused even if the record cannot be written.
    static_cast<void>(audit_.record(change, tl::unexpected(std::move(refusal))));
    return error;
}

Error LocalGateway::refuse_policy(operations::PolicyAction action, const PolicyRequest& request, Error error) {
    const operations::PolicyChange record{action, request.policy, request.endpoint.as_endpoint(), request.caller};
    return record_refusal(record, std::move(error));
}

Error LocalGateway::refuse_quarantine(operations::QuarantineStep step, const QuarantineRequest& request, Error error) {
    return record_refusal(change_of(step, request, request.endpoint.as_endpoint()), std::move(error));
}

}  // namespace headgate::gateway
