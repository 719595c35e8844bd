#include "gateway/local_gateway.h"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <iterator>

#include "gateway/endpoint_policy.h"
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

}  // namespace

LocalGateway::LocalGateway(config::Configuration configuration)
    : configuration_(std::make_shared<const config::Configuration>(std::move(configuration))),
      state_dir_(configuration_->state_dir),
      audit_(configuration_->audit_log, clock_) {}

LocalGateway::~LocalGateway() = default;

std::shared_ptr<const config::Configuration> LocalGateway::configuration() const {
    const std::lock_guard lock{mutex_};
    return configuration_;
}

void LocalGateway::configure(config::Configuration configuration) {
    configuration.state_dir = state_dir_;
    auto shared = std::make_shared<const config::Configuration>(std::move(configuration));
    audit_.write_to(shared->audit_log);
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
    auto store = operations::SqliteStore::open(state_dir_.native());
    if (!store) return tl::unexpected(std::move(store.error()));
    store_ = std::move(*store);
    engine_ = std::make_unique<operations::Engine>(
        *store_, clock_, audit_, [this](const Endpoint& endpoint) { return open(endpoint); },
        engine_settings(*configuration()));
    return engine_.get();
}

Result<void> LocalGateway::open_store() {
    return engine().map([](operations::Engine*) {});
}

Result<void> LocalGateway::settle_cut() {
    return engine().and_then([](operations::Engine* engine) { return engine->settle_cut(); });
}

Result<operations::EndpointAccess> LocalGateway::open(const Endpoint& endpoint) {
    const auto chosen = choose_endpoint(*configuration(), name_of(endpoint));
    if (!chosen) return tl::unexpected(chosen.error());
    operations::EndpointAccess access;
    auto table = chosen->open_table();
    if (!table) return tl::unexpected(std::move(table.error()));
    auto ruleset = chosen->open_ruleset();
    if (!ruleset) return tl::unexpected(std::move(ruleset.error()));
    access.table = std::move(*table);
    access.ruleset = std::move(*ruleset);
    const auto where = chosen->open_namespace();
    if (!where) return tl::unexpected(where.error());
    access.timestamps_since = timestamps_.since(endpoint, *where);
    return access;
}

Result<FlowOperation> LocalGateway::start(const OperationOrder& order) {
    const auto engine = this->engine();
    if (!engine) return tl::unexpected(engine.error());
    auto request = request_of(order);
    if (request) return (*engine)->start(*request);
    const auto& name = order.endpoint;
    FlowOperation refused;
    refused.type = order.type;
    refused.endpoint = {name.firewall.value_or(""), name.availability_zone.value_or(""),
                        name.network_namespace.value_or("")};
    refused.query = order.query;
    refused.caller = order.caller;
    refused.dry_run = order.dry_run;
    return (*engine)->refuse(std::move(refused), std::move(request.error()));
}

Result<operations::OperationRequest> LocalGateway::request_of(const OperationOrder& order) {
    const auto name = endpoint_of(order);
    if (!name) return tl::unexpected(name.error());
    const auto endpoint = choose_endpoint(*configuration(), *name);
    if (!endpoint) return tl::unexpected(endpoint.error());
    operations::OperationRequest request;
    request.type = order.type;
    request.endpoint = endpoint->endpoint();
    request.query = order.query;
    request.token = order.token;
    request.caller = order.caller;
    request.from_operation = order.from_operation;
    request.dry_run = order.dry_run;
    request.include_protected = order.include_protected;
    if (auto narrowed = endpoint->narrow(request.query); !narrowed) return tl::unexpected(std::move(narrowed.error()));
    if (order.type == OperationType::Capture) return request;
    auto flush = flush_of(order, *endpoint, request.query);
    if (!flush) return tl::unexpected(std::move(flush.error()));
    request.flush = std::move(*flush);
    return request;
}

/// What another operation found is flushed where it was found, unless somebody says otherwise, which is refused then.
Result<EndpointName> LocalGateway::endpoint_of(const OperationOrder& order) {
    if (order.from_operation.empty() || !is_unnamed(order.endpoint)) return order.endpoint;
    return find(order.from_operation).map([](const FlowOperation& source) { return name_of(source.endpoint); });
}

Result<operations::FlushRequest> LocalGateway::flush_of(const OperationOrder& order, const ChosenEndpoint& endpoint,
                                                        const FlowQuery& query) const {
    const auto configuration = this->configuration();
    operations::FlushRequest flush;
    flush.captured = order.captured;
    flush.only_zone = query.zone;
    flush.maximum_flows = order.maximum_flows;
    if (!order.include_protected) {
        flush.protected_filters = order.spared;
        std::ranges::copy(configuration->protected_filters, std::back_inserter(flush.protected_filters));
    }
    flush.policy.required = order.require_policy;
    if (!order.stream_exception_policy) return flush;
    auto wanted = wanted_policy(*configuration, endpoint, *order.stream_exception_policy);
    if (!wanted) return tl::unexpected(std::move(wanted.error()).within("stream-exception-policy"));
    flush.policy.wanted = std::move(*wanted);
    return flush;
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
    return engine().and_then([&](operations::Engine*) { return store_->for_each_flow(id, first, take); });
}

Result<std::uint64_t> LocalGateway::tidy() {
    return engine().and_then(
        [](operations::Engine* engine) { return engine->settle_cut().and_then([&] { return engine->tidy(); }); });
}

void LocalGateway::trim() {
    if (store_) store_->trim();
    ::malloc_trim(0);
}

void LocalGateway::drain() {
    if (engine_) engine_->drain();
}

Result<TableCensus> LocalGateway::count_flows(const EndpointName& endpoint) {
    const auto chosen = choose_endpoint(*configuration(), endpoint);
    if (!chosen) return tl::unexpected(chosen.error());
    const auto table = chosen->open_table();
    if (!table) return tl::unexpected(table.error());
    const auto usage = (*table)->usage();
    if (!usage) return tl::unexpected(usage.error());
    TableCensus census{*usage, {}};
    FlowQuery everything;
    everything.filters = {FlowFilter{}};
    everything.states = StateScope::Any;
    if (auto narrowed = chosen->narrow(everything); !narrowed) return tl::unexpected(std::move(narrowed.error()));
    Census counting{census.flows};
    if (auto scanned = (*table)->scan(everything, {clock_.now(), std::nullopt}, counting); !scanned) {
        return tl::unexpected(std::move(scanned.error()));
    }
    return census;
}

Result<EndpointPolicy> LocalGateway::policy_status(const EndpointName& endpoint) {
    const auto chosen = choose_endpoint(*configuration(), endpoint);
    if (!chosen) return tl::unexpected(chosen.error());
    return read_policy(*chosen);
}

Result<EndpointPolicy> LocalGateway::apply_policy(const PolicyOrder& order) {
    return change_policy("policy_apply", order, [&](const ChosenEndpoint& endpoint) {
        return gateway::apply_policy(*configuration(), endpoint, order, clock_);
    });
}

Result<EndpointPolicy> LocalGateway::remove_policy(const PolicyOrder& order) {
    return change_policy("policy_remove", order, [&](const ChosenEndpoint& endpoint) {
        return gateway::remove_policy(*configuration(), endpoint);
    });
}

template <typename Change>
Result<EndpointPolicy> LocalGateway::change_policy(std::string_view action, const PolicyOrder& order, Change change) {
    if (auto ready = audit_.ready(); !ready) return tl::unexpected(std::move(ready.error()));
    operations::PolicyChange record{action, order.policy, {}, order.caller};
    const auto endpoint = choose_endpoint(*configuration(), order.endpoint);
    if (endpoint) record.endpoint = endpoint->endpoint();
    auto changed = endpoint ? change(*endpoint) : Result<EndpointPolicy>{tl::unexpected(endpoint.error())};
    const auto result = changed ? Result<void>{} : tl::unexpected(changed.error());
    if (auto recorded = audit_.record(record, result); !recorded && changed) {
        changed->warnings.push_back(recorded.error().message);
    }
    return changed;
}

}  // namespace headgate::gateway
