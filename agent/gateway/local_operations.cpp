// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/local_operations.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/digest.h"
#include "gateway/local_policies.h"
#include "gateway/request_json.h"
#include "gateway/session_guard.h"
#include "gateway/whole_operation_id.h"
#include "operations/sqlite_store.h"

namespace headgate::gateway {
namespace {

operations::EngineSettings engine_settings(const config::Configuration& configuration) {
    return {configuration.state_dir, configuration.retention, configuration.disk_budget,
            configuration.operation_timeout};
}

bool is_unnamed(const EndpointName& name) {
    return name == EndpointName{};
}

/// Without the caller's sessions: a retry may come from another one. The text of a ruleset may be long.
Result<std::string> text_to_compare(OperationRequest request) {
    request.sessions = {};
    if (auto& text = request.ruleset_text) text = to_hex(sha256(*text));
    fmt::memory_buffer text;
    RETURN_IF_ERROR(append_request_json(text, request));
    return fmt::to_string(text);
}

/// Adds the flows that the configuration protects, and the caller's SSH sessions.
void add_protection(OperationRequest& request, const config::Configuration& configuration,
                    const ManagedEndpoint& endpoint) {
    auto& filters = request.protected_filters;
    if (request.include_protected) {
        request.own_flows.reset();
        return filters.clear();
    }
    std::ranges::copy(configuration.protected_filters, std::back_inserter(filters));
    request.ssh = guard_sessions(request.sessions, request.caller, endpoint);
}

}  // namespace

LocalOperations::LocalOperations(const Endpoints& endpoints, const Clock& clock, operations::AuditTrail& audit,
                                 flowlog::FlowLog& flow_log, flowlog::LogCallback log)
    : endpoints_(endpoints),
      clock_(clock),
      audit_(audit),
      log_(std::move(log)),
      state_dir_(endpoints.configuration()->state_dir),
      flush_records_(flow_log, clock, state_dir_) {}

LocalOperations::~LocalOperations() = default;

void LocalOperations::configure(const config::Configuration& configuration) {
    const std::lock_guard lock{opening_};
    if (engine_) engine_->configure(engine_settings(configuration));
}

Result<operations::Engine*> LocalOperations::engine() {
    const std::lock_guard lock{opening_};
    if (engine_) return engine_.get();
    ASSIGN_OR_RETURN(auto store, operations::SqliteStore::open(state_dir_.native(), clock_));
    store_ = std::move(store);
    engine_ = std::make_unique<operations::Engine>(
        *store_, clock_, audit_, [this](const Endpoint& endpoint) { return open(endpoint); },
        engine_settings(*endpoints_.configuration()), on_ended_, flush_records_);
    return engine_.get();
}

Result<void> LocalOperations::open_store() {
    return engine().map([this](operations::Engine*) {
        if (const auto keeps = store_->ensure_room(0); !keeps) log_("nothing can be kept: " + keeps.error().message);
    });
}

Result<void> LocalOperations::recover_interrupted() {
    auto recovered = engine().and_then([](operations::Engine* engine) { return engine->recover_interrupted(); });
    if (store_) make_up_records();
    return recovered;
}

Result<void> LocalOperations::ready() {
    return engine().and_then([&](operations::Engine*) { return store_->ensure_room(1); });
}

/// On a background thread: the log may be long, or on a server that is gone.
void LocalOperations::make_up_records() {
    if (flowlog::UnwrittenMark::all(state_dir_).empty()) return;
    const auto begun = making_up_.begin([this](const std::stop_token&) { make_up_now(); });
    // The marks remain, so tidy() retries; requests do not fail because of it.
    if (!begun) log_(fmt::format("flow log: records are not made up for: {}", begun.error().message));
}

void LocalOperations::make_up_now() {
    const auto made_up = flush_records_.make_up(*store_, endpoints_.configuration()->flow_log);
    if (!made_up) log_("flow log: " + made_up.error().message);
    if (made_up.value_or(0) != 0) {
        log_(fmt::format("flow log: {} made up for, which a process that was killed had not written",
                         *made_up == 1 ? "1 record is" : fmt::format("{} records are", *made_up)));
    }
}

Result<operations::EndpointAccess> LocalOperations::open(const Endpoint& endpoint) {
    ASSIGN_OR_RETURN(const auto managed, endpoints_.find(name_of(endpoint)));
    operations::EndpointAccess access;
    ASSIGN_OR_RETURN(auto table, managed->open_table());
    ASSIGN_OR_RETURN(auto ruleset, managed->open_ruleset());
    ASSIGN_OR_RETURN(auto judge, managed->open_judge());
    access.table = std::move(table);
    access.ruleset = std::move(ruleset);
    access.judge = std::move(judge);
    ASSIGN_OR_RETURN(const auto where, managed->open_namespace());
    access.timestamps_since = managed->history()->timestamps.since(where);
    return access;
}

Result<FlowOperation> LocalOperations::start(const OperationRequest& request) {
    ASSIGN_OR_RETURN(const auto engine, this->engine());
    const auto whole = completed(request);
    if (!whole) return tl::unexpected(refuse(request, whole.error()));
    auto started = engine->start(*whole);
    // Interrupted operations on this endpoint have been recovered by now.
    make_up_records();
    return started;
}

Error LocalOperations::refuse(const OperationRequest& request, Error error) {
    const auto engine = this->engine();
    if (!engine) return engine.error();
    FlowOperation refused;
    static_cast<FlowRequest&>(refused) = request;
    refused.endpoint = request.endpoint.as_endpoint();
    return (*engine)->refuse(std::move(refused), std::move(error)).value();
}

Result<OperationRequest> LocalOperations::completed(OperationRequest request) {
    ASSIGN_OR_RETURN(request.from_operation, whole_operation_id(*this, request.from_operation));
    ASSIGN_OR_RETURN(const auto name, endpoint_of(request));
    ASSIGN_OR_RETURN(const auto endpoint, endpoints_.find(name));
    if (!request.token.empty()) {
        ASSIGN_OR_RETURN(auto asked, text_to_compare(request));
        request.asked = std::move(asked);
    }
    const auto& where = endpoint->names();
    request.endpoint = {where.firewall, where.availability_zone, where.network_namespace};
    if (!request.query.states) request.query.states = kind_of(request.type).default_states;
    RETURN_IF_ERROR(endpoint->narrow(request.query));
    if (!kind_of(request.type).changes_flows) return request;
    add_protection(request, *endpoints_.configuration(), *endpoint);
    if (!request.stream_exception_policy) return request;
    auto policy = wanted_policy(*endpoint, *request.stream_exception_policy);
    if (!policy) return tl::unexpected(std::move(policy.error()).within("stream-exception-policy"));
    request.policy = std::move(*policy);
    return request;
}

/// A flush from another operation uses that operation's endpoint; another one is refused later.
Result<EndpointName> LocalOperations::endpoint_of(const OperationRequest& request) {
    if (request.from_operation.empty() || !is_unnamed(request.endpoint)) return request.endpoint;
    return find(request.from_operation).map([](const FlowOperation& source) { return name_of(source.endpoint); });
}

Result<FlowOperation> LocalOperations::find(std::string_view id) {
    ASSIGN_OR_RETURN(const auto engine, this->engine());
    ASSIGN_OR_RETURN(const auto whole_id, whole_operation_id(*this, id));
    return engine->find(whole_id);
}

Result<FlowOperation> LocalOperations::wait(std::string_view id, std::chrono::milliseconds at_most) {
    return engine().and_then([&](operations::Engine* engine) { return engine->wait(id, at_most); });
}

Result<void> LocalOperations::cancel(std::string_view id) {
    return engine().and_then([&](operations::Engine* engine) { return engine->cancel(id); });
}

Result<std::vector<FlowOperation>> LocalOperations::list(const OperationSelection& selection) {
    ASSIGN_OR_RETURN(auto* const engine, this->engine());
    // Behind an operation that was removed, as too old, an empty list would look like the end.
    const auto& before = selection.before_id;
    if (!before.empty() && !engine->find(before)) {
        return invalid("there is no operation {} any more: list again from the beginning", before);
    }
    return engine->list(selection);
}

Result<void> LocalOperations::for_each_block(std::string_view id, std::uint64_t first, const PackedFlowsSink& sink) {
    return engine().and_then([&](operations::Engine* engine) { return engine->for_each_block(id, first, sink); });
}

Result<std::uint64_t> LocalOperations::tidy() {
    auto recovered = recover_interrupted();
    if (!engine_) return tl::unexpected(std::move(recovered.error()));
    // Frees space, in case a full disk prevented the recovery.
    auto removed = engine_->tidy();
    return recovered ? removed : tl::unexpected(std::move(recovered.error()));
}

void LocalOperations::trim() {
    if (store_) store_->trim();
}

void LocalOperations::begin_drain() {
    if (engine_) engine_->begin_drain();
}

bool LocalOperations::is_drained() {
    return !engine_ || engine_->is_drained();
}

}  // namespace headgate::gateway
