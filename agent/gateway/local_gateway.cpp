// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/local_gateway.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "gateway/ended_flow_feed.h"
#include "gateway/endpoint_policy.h"
#include "gateway/readiness.h"
#include "gateway/request_json.h"
#include "gateway/session_guard.h"
#include "midstream/policy_library.h"
#include "operations/sqlite_store.h"

namespace headgate::gateway {
namespace {

operations::EngineSettings engine_settings(const config::Configuration& configuration) {
    return {configuration.state_dir, configuration.retention, configuration.disk_budget,
            configuration.operation_timeout};
}

class Census final : public ScanListener {
  public:
    explicit Census(std::map<FlowKind, std::uint64_t>& counts) : counts_(counts) {}

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

bool is_unnamed(const EndpointName& name) {
    return name == EndpointName{};
}

/// Without the caller's sessions: a retry may come from another one.
Result<std::string> text_to_compare(OperationRequest request) {
    request.sessions = {};
    fmt::memory_buffer text;
    RETURN_IF_ERROR(append_request_json(text, request));
    return fmt::to_string(text);
}

/// Adds the flows that the configuration and the caller's connections protect.
void add_protection(OperationRequest& request, const config::Configuration& configuration,
                    const ChosenEndpoint& endpoint) {
    auto& filters = request.protected_filters;
    if (request.include_protected) return filters.clear();
    if (request.own_flows) filters.push_back(*request.own_flows);
    std::ranges::copy(configuration.protected_filters, std::back_inserter(filters));
    request.ssh = guard_sessions(request.sessions, request.caller, endpoint);
}

}  // namespace

LocalGateway::LocalGateway(config::Configuration configuration, flowlog::StandardOutput output,
                           flowlog::LogCallback tell)
    : configuration_(std::make_shared<const config::Configuration>(std::move(configuration))),
      state_dir_(configuration_->state_dir),
      audit_(configuration_->audit_log, clock_),
      flow_log_(configuration_->flow_log, output, tell),
      tell_(std::move(tell)) {}

LocalGateway::~LocalGateway() = default;

std::shared_ptr<const config::Configuration> LocalGateway::configuration() const {
    const std::lock_guard lock{mutex_};
    return configuration_;
}

void LocalGateway::configure(config::Configuration configuration) {
    configuration.state_dir = state_dir_;
    auto shared = std::make_shared<const config::Configuration>(std::move(configuration));
    audit_.write_to(shared->audit_log);
    flow_log_.configure(shared->flow_log);
    {
        const std::lock_guard lock{opening_};
        if (engine_) engine_->configure(engine_settings(*shared));
    }
    const std::lock_guard lock{mutex_};
    configuration_ = std::move(shared);
}

Result<operations::Engine*> LocalGateway::engine() {
    const std::lock_guard lock{opening_};
    if (engine_) return engine_.get();
    ASSIGN_OR_RETURN(auto store, operations::SqliteStore::open(state_dir_.native(), clock_));
    store_ = std::move(store);
    engine_ = std::make_unique<operations::Engine>(
        *store_, clock_, audit_, [this](const Endpoint& endpoint) { return open(endpoint); },
        engine_settings(*configuration()), on_ended_, flush_records_);
    return engine_.get();
}

Result<void> LocalGateway::open_store() {
    return engine().map([this](operations::Engine*) {
        if (const auto keeps = store_->ensure_room(0); !keeps) tell_("nothing can be kept: " + keeps.error().message);
    });
}

Result<void> LocalGateway::recover_interrupted() {
    auto recovered = engine().and_then([](operations::Engine* engine) { return engine->recover_interrupted(); });
    if (store_) make_up_records();
    return recovered;
}

/// On a background thread: the log may be long, or on a server that is gone.
void LocalGateway::make_up_records() {
    if (UnwrittenMark::all(state_dir_).empty()) return;
    const auto begun = making_up_.begin([this](const std::stop_token&) { make_up_now(); });
    // The marks remain, so tidy() retries; requests do not fail because of it.
    if (!begun) tell_(fmt::format("flow log: records are not made up for: {}", begun.error().message));
}

void LocalGateway::make_up_now() {
    const auto made_up = flush_records_.make_up(*store_, configuration()->flow_log);
    if (!made_up) tell_("flow log: " + made_up.error().message);
    if (made_up.value_or(0) != 0) {
        tell_(fmt::format("flow log: {} made up for, which a process that was killed had not written",
                          *made_up == 1 ? "1 record is" : fmt::format("{} records are", *made_up)));
    }
}

Result<operations::EndpointAccess> LocalGateway::open(const Endpoint& endpoint) {
    ASSIGN_OR_RETURN(const auto chosen, choose_endpoint(*configuration(), name_of(endpoint)));
    operations::EndpointAccess access;
    ASSIGN_OR_RETURN(auto table, chosen.open_table());
    ASSIGN_OR_RETURN(auto ruleset, chosen.open_ruleset());
    access.table = std::move(table);
    access.ruleset = std::move(ruleset);
    ASSIGN_OR_RETURN(const auto where, chosen.open_namespace());
    access.timestamps_since = timestamps_.since(endpoint, where);
    return access;
}

Result<FlowOperation> LocalGateway::start(const OperationRequest& request) {
    ASSIGN_OR_RETURN(const auto engine, this->engine());
    const auto whole = completed(request);
    if (!whole) return tl::unexpected(refuse(request, whole.error()));
    auto started = engine->start(*whole);
    // Interrupted operations on this endpoint have been recovered by now.
    make_up_records();
    return started;
}

Error LocalGateway::refuse(const OperationRequest& request, Error error) {
    const auto engine = this->engine();
    if (!engine) return engine.error();
    FlowOperation refused;
    static_cast<FlowRequest&>(refused) = request;
    refused.endpoint = request.endpoint.as_endpoint();
    return (*engine)->refuse(std::move(refused), std::move(error)).value();
}

Result<OperationRequest> LocalGateway::completed(OperationRequest request) {
    const auto configuration = this->configuration();
    ASSIGN_OR_RETURN(const auto name, endpoint_of(request));
    ASSIGN_OR_RETURN(const auto endpoint, choose_endpoint(*configuration, name));
    if (!request.token.empty()) {
        ASSIGN_OR_RETURN(auto asked, text_to_compare(request));
        request.asked = std::move(asked);
    }
    const auto& where = endpoint.endpoint();
    request.endpoint = {where.firewall, where.availability_zone, where.network_namespace};
    if (!request.query.states) request.query.states = kind_of(request.type).default_states;
    RETURN_IF_ERROR(endpoint.narrow(request.query));
    if (!kind_of(request.type).changes_flows) return request;
    add_protection(request, *configuration, endpoint);
    if (!request.stream_exception_policy) return request;
    auto policy = wanted_policy(*configuration, endpoint, *request.stream_exception_policy);
    if (!policy) return tl::unexpected(std::move(policy.error()).within("stream-exception-policy"));
    request.policy = std::move(*policy);
    return request;
}

/// A flush from another operation uses that operation's endpoint; another one is refused later.
Result<EndpointName> LocalGateway::endpoint_of(const OperationRequest& request) {
    if (request.from_operation.empty() || !is_unnamed(request.endpoint)) return request.endpoint;
    return find(request.from_operation).map([](const FlowOperation& source) { return name_of(source.endpoint); });
}

Result<FlowOperation> LocalGateway::find(std::string_view id) {
    return engine().and_then([&](operations::Engine* engine) { return engine->find(id); });
}

Result<FlowOperation> LocalGateway::wait(std::string_view id, std::chrono::milliseconds at_most) {
    return engine().and_then([&](operations::Engine* engine) { return engine->wait(id, at_most); });
}

Result<void> LocalGateway::cancel(std::string_view id) {
    return engine().and_then([&](operations::Engine* engine) { return engine->cancel(id); });
}

Result<std::vector<FlowOperation>> LocalGateway::list(const OperationSelection& selection) {
    return engine().and_then([&](operations::Engine* engine) { return engine->list(selection); });
}

Result<void> LocalGateway::for_each_flow(std::string_view id, std::uint64_t first, const StoredFlowSink& take) {
    return engine().and_then([&](operations::Engine* engine) { return engine->for_each_flow(id, first, take); });
}

Result<std::vector<StoredFlow>> LocalGateway::flows(std::string_view id, std::uint64_t first, std::size_t count) {
    return engine().and_then([&](operations::Engine* engine) { return engine->flows(id, first, count); });
}

Result<std::uint64_t> LocalGateway::tidy() {
    auto recovered = recover_interrupted();
    if (!engine_) return tl::unexpected(std::move(recovered.error()));
    // Frees space, in case a full disk prevented the recovery.
    auto removed = engine_->tidy();
    return recovered ? removed : tl::unexpected(std::move(recovered.error()));
}

void LocalGateway::trim() {
    if (store_) store_->trim();
}

bool LocalGateway::is_ending() const {
    return is_ending_;
}

void LocalGateway::begin_drain() {
    if (engine_) engine_->begin_drain();
}

bool LocalGateway::is_drained() {
    if (engine_ && !engine_->is_drained()) return false;
    is_ending_ = true;
    flow_log_.end_looking_on();
    return true;
}

void LocalGateway::reopen_logs() {
    audit_.reopen();
    flow_log_.reopen();
}

Result<TableStatistics> LocalGateway::count_flows(const EndpointName& endpoint) {
    ASSIGN_OR_RETURN(const auto chosen, choose_endpoint(*configuration(), endpoint));
    return censuses_.take(chosen.endpoint(), [&] { return count_anew(chosen); });
}

Result<TableStatistics> LocalGateway::count_anew(const ChosenEndpoint& endpoint) {
    ASSIGN_OR_RETURN(const auto table, endpoint.open_table());
    ASSIGN_OR_RETURN(const auto usage, table->usage());
    TableStatistics census{usage, peaks_.note(endpoint.endpoint(), usage.in_use), {}};
    FlowQuery everything;
    everything.filters = {FlowFilter{}};
    everything.states = StateScope::Any;
    RETURN_IF_ERROR(endpoint.narrow(everything));
    Census counting{census.flows};
    RETURN_IF_ERROR(table->scan(everything, {.now = clock_.now()}, counting));
    return census;
}

Result<TableStatistics> LocalGateway::usage(const EndpointName& endpoint) {
    ASSIGN_OR_RETURN(const auto chosen, choose_endpoint(*configuration(), endpoint));
    ASSIGN_OR_RETURN(const auto table, chosen.open_table());
    return table->usage().map([&](const TableUsage& usage) {
        return TableStatistics{usage, peaks_.note(chosen.endpoint(), usage.in_use), {}};
    });
}

Result<std::vector<PolicyCounter>> LocalGateway::midstream_counters(const EndpointName& endpoint) {
    ASSIGN_OR_RETURN(const auto chosen, choose_endpoint(*configuration(), endpoint));
    return chosen.open_ruleset().and_then([](const std::unique_ptr<Ruleset>& ruleset) { return ruleset->counters(); });
}

std::vector<StreamExceptionPolicy> LocalGateway::policies() {
    std::vector<StreamExceptionPolicy> named;
    for (auto& entry : midstream::list_policies(midstream::policy_folders()))
        if (entry.policy) named.push_back(std::move(*entry.policy));
    return named;
}

std::vector<EndpointPlace> LocalGateway::places() const {
    std::vector<EndpointPlace> places;
    const auto configuration = this->configuration();
    for (const auto& firewall : configuration->firewalls) {
        for (const auto& place : firewall.endpoints) {
            const ChosenEndpoint endpoint{{firewall.name, place.availability_zone, ""}, place};
            places.push_back({endpoint.endpoint(), place.conntrack_zone,
                              endpoint.open_namespace().and_then([](const auto& opened) { return opened.id(); })});
        }
    }
    return places;
}

Result<void> LocalGateway::for_each_ended(const EndedFlowQuery& query, const RecordSink& take) {
    return tell_ended(flow_log_.recent(), query, take);
}

flowlog::FlowLogCounts LocalGateway::flow_log_counts() const {
    return flow_log_.counts();
}

std::vector<Finding> LocalGateway::readiness() {
    auto findings = endpoint_findings(*configuration());
    const auto usable = engine().and_then([&](operations::Engine*) { return store_->ensure_room(1); });
    findings.push_back({"store", {}, usable ? "" : usable.error().message});
    const auto audited = audit_.ready();
    findings.push_back({"audit_log", {}, audited ? "" : audited.error().message});
    std::string faults;
    for (const auto& [name, sink] : flow_log_.counts().sinks)
        if (!sink.fault.empty()) faults += fmt::format("{}{}: {}", faults.empty() ? "" : "; ", name, sink.fault);
    findings.push_back({"flow_log", {}, std::move(faults)});
    return findings;
}

Result<EndpointPolicy> LocalGateway::policy_status(const EndpointName& endpoint) {
    ASSIGN_OR_RETURN(const auto chosen, choose_endpoint(*configuration(), endpoint));
    return read_policy(chosen);
}

Result<EndpointPolicy> LocalGateway::apply_policy(const PolicyRequest& request) {
    return change_policy("policy_apply", request, [&](const ChosenEndpoint& endpoint) {
        return gateway::apply_policy(*configuration(), endpoint, request, clock_);
    });
}

Result<EndpointPolicy> LocalGateway::remove_policy(const PolicyRequest& request) {
    return change_policy("policy_remove", request, [&](const ChosenEndpoint& endpoint) {
        return gateway::remove_policy(*configuration(), endpoint);
    });
}

template <typename Change>
Result<EndpointPolicy> LocalGateway::change_policy(std::string_view action, const PolicyRequest& request,
                                                   Change change) {
    RETURN_IF_ERROR(audit_.ready());
    operations::PolicyChange record{action, request.policy, {}, request.caller};
    const auto endpoint = choose_endpoint(*configuration(), request.endpoint);
    if (endpoint) record.endpoint = endpoint->endpoint();
    auto changed = endpoint ? change(*endpoint) : Result<EndpointPolicy>{tl::unexpected(endpoint.error())};
    const auto result = changed ? Result<void>{} : tl::unexpected(changed.error());
    if (auto recorded = audit_.record(record, result); !recorded && changed) {
        changed->warnings.push_back(recorded.error().message);
    }
    return changed;
}

Error LocalGateway::refuse_policy(std::string_view action, const PolicyRequest& request, Error error) {
    const operations::PolicyChange record{action, request.policy, request.endpoint.as_endpoint(), request.caller};
    // The request is refused even if the record cannot be written.
    static_cast<void>(audit_.record(record, tl::unexpected(error)));
    return error;
}

}  // namespace headgate::gateway
