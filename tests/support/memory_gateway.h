// SPDX-License-Identifier: GPL-2.0-or-later
// An in-memory gateway: operations end when the test says so, and the policy is the last one applied. The default
// endpoint is firewall `edge` in zone `a`; the configuration may have more.
#pragma once

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "gateway/managed_gateway.h"
#include "support/memory_quarantine.h"
#include "support/packed_flows.h"
#include "support/stored_operations.h"

namespace headgate::testing {

class MemoryGateway final : public gateway::ManagedGateway,
                            public gateway::FlowOperations,
                            public gateway::StreamExceptionPolicies,
                            public gateway::Quarantines,
                            public gateway::FlowTables,
                            public gateway::EndedFlows,
                            public gateway::Monitoring,
                            public gateway::Inventory,
                            public gateway::RefusedRequests {
  public:
    FlowOperations& operations() override { return *this; }
    StreamExceptionPolicies& policies() override { return *this; }
    Quarantines& quarantines() override { return *this; }
    FlowTables& tables() override { return *this; }
    EndedFlows& ended_flows() override { return *this; }
    Monitoring& monitoring() override { return *this; }
    Inventory& inventory() override { return *this; }
    RefusedRequests& refused_requests() override { return *this; }

    // The test's controls and observations.

    /// Operations complete at once, with this number of flows.
    void complete_at_once(std::uint32_t flows) {
        const std::lock_guard lock{mutex_};
        at_once_ = flows;
    }
    /// The flows of an operation so far, which continues.
    void find_flows(const std::string& id, std::vector<FlowRow> flows) {
        const std::lock_guard lock{mutex_};
        Record& record = records_.at(place_of(id));
        record.operation.counts.matched = flows.size();
        record.flows = std::make_shared<const std::vector<FlowRow>>(std::move(flows));
    }
    void finish(const std::string& id, std::vector<FlowRow> flows) {
        find_flows(id, std::move(flows));
        amend(id, [](FlowOperation& operation) { operation.status = OperationStatus::Completed; });
        changed_.notify_all();
    }
    /// Changes an operation.
    void amend(const std::string& id, const std::function<void(FlowOperation&)>& change) {
        const std::lock_guard lock{mutex_};
        change(records_.at(place_of(id)).operation);
    }
    /// All later calls fail with this error.
    void fail_with(Error error) {
        const std::lock_guard lock{mutex_};
        error_ = std::move(error);
    }
    /// A stream of flows fails after this number.
    void break_after(std::size_t flows) { break_after_ = flows; }

    /// Forgets the operations, and the policies that were applied.
    void forget_requests() {
        const std::lock_guard lock{mutex_};
        records_.clear();
        refusals_.clear();
        ruleset = {};
        rulesets_elsewhere.clear();
        last_request_ = {};
        last_policy_request_ = {};
        last_quarantine_request_ = {};
        last_ended_query_ = {};
    }

    /// Adds an ended flow and its record.
    void end_flow(EndedFlow flow, std::string record) {
        {
            const std::lock_guard lock{mutex_};
            ended_.push_back({std::move(flow), std::move(record)});
        }
        changed_.notify_all();
    }
    [[nodiscard]] gateway::EndedFlowQuery last_ended_query() const {
        const std::lock_guard lock{mutex_};
        return last_ended_query_;
    }

    [[nodiscard]] gateway::OperationRequest last_request() const {
        const std::lock_guard lock{mutex_};
        return last_request_;
    }
    [[nodiscard]] gateway::PolicyRequest last_policy_request() const {
        const std::lock_guard lock{mutex_};
        return last_policy_request_;
    }
    [[nodiscard]] gateway::QuarantineRequest last_quarantine_request() const {
        const std::lock_guard lock{mutex_};
        return last_quarantine_request_;
    }
    [[nodiscard]] int streams() const { return streams_; }  ///< streams in progress
    [[nodiscard]] int waiting() const { return waiting_; }  ///< calls of wait() in progress

    /// Messages of requests that were refused before they reached this gateway.
    [[nodiscard]] std::vector<std::string> refusals() const {
        const std::lock_guard lock{mutex_};
        return refusals_;
    }

    RulesetStatus ruleset;                                    ///< in zone a
    std::map<std::string, RulesetStatus> rulesets_elsewhere;  ///< in the other zones
    std::string zone_of_fixed_policy;                         ///< the zone in which the policy cannot be changed
    std::string id_format = "operation-{}";
    config::Configuration configured = edge();       ///< endpoints in network namespace `gone` are unreachable
    std::map<std::string, std::string> other_names;  ///< aliases of the network namespaces in `configured`
    std::vector<gateway::Finding> findings;
    gateway::TableStatistics census;
    MemoryQuarantine quarantine;
    flowlog::FlowLogCounts flow_log;
    std::atomic<bool> ending = false;

    Result<FlowOperation> start(const gateway::OperationRequest& request) override {
        const std::lock_guard lock{mutex_};
        if (auto checked = check(request.endpoint); !checked) return tl::unexpected(std::move(checked.error()));
        last_request_ = request;
        for (const auto& each : records_) {
            if (!request.token.empty() && each.token == request.token) return each.operation;
            if (each.operation.status == OperationStatus::InProgress &&
                each.operation.endpoint == meant(request.endpoint)) {
                return busy("one is running: {}", each.operation.id);
            }
        }
        if (!request.from_operation.empty() && !is_there(request.from_operation))
            return unknown(request.from_operation);
        return begin(request);
    }

    Result<FlowOperation> find(std::string_view id) override {
        const std::lock_guard lock{mutex_};
        if (auto checked = check({}); !checked) return tl::unexpected(std::move(checked.error()));
        return is_there(id) ? Result<FlowOperation>{records_.at(place_of(id)).operation} : unknown(id);
    }

    Result<FlowOperation> wait(std::string_view id, std::chrono::milliseconds at_most) override {
        std::unique_lock lock{mutex_};
        if (!is_there(id)) return unknown(id);
        ++waiting_;
        const auto place = place_of(id);
        changed_.wait_for(lock, at_most,
                          [&] { return records_[place].operation.status != OperationStatus::InProgress; });
        --waiting_;
        return records_[place].operation;
    }

    Result<void> cancel(std::string_view id) override {
        const std::lock_guard lock{mutex_};
        if (!is_there(id)) return unknown(id);
        auto& operation = records_.at(place_of(id)).operation;
        if (operation.status == OperationStatus::InProgress) operation.status = OperationStatus::CompletedWithErrors;
        return {};
    }

    Result<std::vector<FlowOperation>> list(const OperationSelection& selection) override {
        const std::lock_guard lock{mutex_};
        if (auto checked = check({}); !checked) return tl::unexpected(std::move(checked.error()));
        std::vector<FlowOperation> listed;
        bool behind = selection.before_id.empty();
        for (auto each = records_.rbegin(); each != records_.rend() && listed.size() < selection.at_most; ++each) {
            const auto& operation = each->operation;
            if (behind && selection.has(operation)) listed.push_back(operation);
            if (operation.id == selection.before_id) behind = true;
        }
        return listed;
    }

    Result<void> for_each_block(std::string_view id, std::uint64_t first, const PackedFlowsSink& sink) override {
        std::shared_ptr<const std::vector<FlowRow>> flows;
        {
            const std::lock_guard lock{mutex_};
            if (!is_there(id)) return unknown(id);
            flows = records_.at(place_of(id)).flows;
        }
        ++streams_;
        auto read = send_blocks(*flows, first, sink);
        --streams_;
        return read;
    }

    [[nodiscard]] std::shared_ptr<const config::Configuration> configuration() const override {
        return std::make_shared<const config::Configuration>(configured);
    }
    [[nodiscard]] bool is_whole() const override { return true; }
    [[nodiscard]] std::vector<gateway::EndpointPlace> places() const override {
        std::vector<gateway::EndpointPlace> places;
        for (const auto& [firewall, endpoint] : config::endpoints_of(configured))
            places.push_back(
                {{firewall->name, endpoint->availability_zone, ""}, endpoint->conntrack_zone, id_of(*endpoint)});
        return places;
    }
    std::vector<StreamExceptionPolicy> named_policies() override {
        std::vector<StreamExceptionPolicy> shipped(3);
        shipped[0].name = "drop";
        shipped[1].name = "reject";
        shipped[1].exception = StreamException::Reject;
        shipped[2].name = "continue";
        shipped[2].exception = StreamException::Continue;
        return shipped;
    }
    Result<gateway::TableStatistics> usage(const EndpointName& endpoint) override {
        return statistics(endpoint).map([](gateway::TableStatistics counted) {
            counted.flows.clear();
            return counted;
        });
    }
    Result<std::vector<PolicyCounter>> midstream_counters(const EndpointName& endpoint) override {
        const std::lock_guard lock{mutex_};
        return check(endpoint).map([&] { return ruleset.counters; });
    }
    Result<std::vector<QuarantineEntry>> quarantine_entries(const EndpointName& endpoint) override {
        const std::lock_guard lock{mutex_};
        RETURN_IF_ERROR(check(endpoint));
        return quarantine.entries();
    }
    Result<void> for_each_ended(const gateway::EndedFlowQuery& query, const gateway::RecordSink& sink) override {
        {
            const std::lock_guard lock{mutex_};
            if (error_) return tl::unexpected(*error_);
            last_ended_query_ = query;
        }
        ++streams_;
        auto told = tell_ended(query, sink);
        --streams_;
        return told;
    }
    [[nodiscard]] flowlog::FlowLogCounts flow_log_counts() const override { return flow_log; }
    [[nodiscard]] bool is_ending() const override { return ending; }
    std::vector<gateway::Finding> readiness() override { return findings; }
    Error refuse(const gateway::OperationRequest& /*request*/, Error error) override {
        const std::lock_guard lock{mutex_};
        refusals_.push_back(error.message);
        return error;
    }
    Error refuse_policy(operations::PolicyAction /*action*/, const gateway::PolicyRequest& /*request*/,
                        Error error) override {
        const std::lock_guard lock{mutex_};
        refusals_.push_back(error.message);
        return error;
    }

    Error refuse_quarantine(operations::QuarantineStep /*step*/, const gateway::QuarantineRequest& /*request*/,
                            Error error) override {
        const std::lock_guard lock{mutex_};
        refusals_.push_back(error.message);
        return error;
    }

    Result<gateway::TableStatistics> statistics(const EndpointName& endpoint) override {
        const std::lock_guard lock{mutex_};
        return check(endpoint).map([&] { return census; });
    }
    Result<gateway::EndpointPolicy> status(const EndpointName& endpoint) override {
        const std::lock_guard lock{mutex_};
        return check(endpoint).map([&] { return status_of(endpoint); });
    }
    Result<gateway::EndpointPolicy> apply(const gateway::PolicyRequest& request) override {
        const std::lock_guard lock{mutex_};
        last_policy_request_ = request;
        return check(request.endpoint).and_then([&] { return check_changeable(request.endpoint); }).map([&] {
            auto& there = ruleset_at(request.endpoint);
            there.policy.emplace().name = request.policy;
            for (const auto& each : named_policies())
                if (each.name == request.policy) there.policy = each;
            there.condition = RulesetCondition::AsApplied;
            auto now = status_of(request.endpoint);
            now.warnings = {"applied in memory alone"};
            return now;
        });
    }
    Result<gateway::EndpointPolicy> remove(const gateway::PolicyRequest& request) override {
        const std::lock_guard lock{mutex_};
        last_policy_request_ = request;
        return check(request.endpoint).and_then([&] { return check_changeable(request.endpoint); }).map([&] {
            ruleset_at(request.endpoint) = {};
            return status_of(request.endpoint);
        });
    }

    Result<gateway::EndpointQuarantine> quarantined(const EndpointName& endpoint) override {
        const std::lock_guard lock{mutex_};
        RETURN_IF_ERROR(check(endpoint));
        return quarantine.entries().map([&](auto&& entries) {
            return gateway::EndpointQuarantine{meant(endpoint), std::move(entries), 0, {}};
        });
    }
    Result<gateway::EndpointQuarantine> add(const gateway::QuarantineRequest& request) override {
        std::vector<QuarantineEntry> entries;
        for (const auto& prefix : request.prefixes) {
            QuarantineEntry entry;
            entry.prefix = prefix;
            entry.action = request.action;
            entry.left = request.time;
            entry.by = request.caller.name();
            entry.reason = request.reason;
            entries.push_back(std::move(entry));
        }
        return change_quarantine(request, [&] { return quarantine.add(entries); });
    }
    Result<gateway::EndpointQuarantine> extend(const gateway::QuarantineRequest& request) override {
        return change_quarantine(request, [&] { return quarantine.extend(request.prefixes, request.time); });
    }
    Result<gateway::EndpointQuarantine> remove(const gateway::QuarantineRequest& request) override {
        return change_quarantine(request, [&] { return quarantine.remove(request.prefixes); });
    }

  private:
    struct Record {
        FlowOperation operation;
        std::string token;
        std::shared_ptr<const std::vector<FlowRow>> flows;
    };

    struct EndedRecord {
        EndedFlow flow;
        std::string text;
    };

    /// Answers with all entries.
    template <typename Change>
    Result<gateway::EndpointQuarantine> change_quarantine(const gateway::QuarantineRequest& request,
                                                          const Change& change) {
        {
            const std::lock_guard lock{mutex_};
            last_quarantine_request_ = request;
            RETURN_IF_ERROR(check(request.endpoint));
            RETURN_IF_ERROR(change());
        }
        return quarantined(request.endpoint);
    }

    Result<void> tell_ended(const gateway::EndedFlowQuery& query, const gateway::RecordSink& sink) {
        std::unique_lock lock{mutex_};
        for (auto next = ended_.size() - std::min(query.latest, ended_.size());;) {
            while (next < ended_.size()) {
                const auto& each = ended_[next++];
                if (!query.matches(each.flow)) continue;
                const auto text = each.text;
                lock.unlock();
                if (auto passed = sink(text); !passed) return passed;
                lock.lock();
            }
            lock.unlock();
            if (!query.follow || query.is_over()) return {};
            lock.lock();
            changed_.wait_for(lock, std::chrono::milliseconds{10}, [&] { return next < ended_.size(); });
        }
    }

    [[nodiscard]] Result<netlink::NamespaceId> id_of(const config::FirewallEndpoint& place) const {
        if (place.netns == "gone") return system_error(ENOENT, "network namespace gone");
        if (place.netns == "unknown") return system_error(EMFILE, "network namespace unknown");
        auto path = config::namespace_path(place);
        if (const auto other = other_names.find(path); other != other_names.end()) path = other->second;
        return netlink::NamespaceId{1, std::hash<std::string>{}(path)};
    }
    static config::Configuration edge() {
        config::Configuration configuration;
        configuration.firewalls = {{"edge", {{"a", {}, {}, {}}}}};
        return configuration;
    }
    static tl::unexpected<Error> unknown(std::string_view id) { return not_found("operation {} is not there", id); }
    [[nodiscard]] Result<void> check(const EndpointName& endpoint) const {
        if (error_) return tl::unexpected(*error_);
        const auto [firewall, zone, netns] = meant(endpoint);
        const auto& firewalls = configured.firewalls;
        const auto found = std::ranges::find(firewalls, firewall, &config::Firewall::name);
        if (found == firewalls.end()) return invalid("firewall: \"{}\" is unknown", firewall);
        const auto endpoints = std::ranges::find(found->endpoints, zone, &config::FirewallEndpoint::availability_zone);
        if (endpoints == found->endpoints.end()) return invalid("availability-zone: unknown");
        return endpoints->netns == "gone" ? failed("the network namespace is gone") : Result<void>{};
    }
    static Endpoint meant(const EndpointName& endpoint) {
        return {endpoint.firewall.value_or("edge"), endpoint.availability_zone.value_or("a"), ""};
    }
    [[nodiscard]] Result<void> check_changeable(const EndpointName& endpoint) const {
        if (meant(endpoint).availability_zone != zone_of_fixed_policy) return {};
        return failed("the ruleset cannot be changed");
    }
    [[nodiscard]] RulesetStatus& ruleset_at(const EndpointName& endpoint) {
        const auto zone = meant(endpoint).availability_zone;
        return zone == "a" ? ruleset : rulesets_elsewhere[zone];
    }
    [[nodiscard]] std::size_t place_of(std::string_view id) const {
        const auto found = std::ranges::find_if(records_, [&](const auto& each) { return each.operation.id == id; });
        return static_cast<std::size_t>(found - records_.begin());
    }
    [[nodiscard]] bool is_there(std::string_view id) const { return place_of(id) != records_.size(); }
    [[nodiscard]] gateway::EndpointPolicy status_of(const EndpointName& endpoint) {
        return {meant(endpoint), ruleset_at(endpoint), {}};
    }

    FlowOperation begin(const gateway::OperationRequest& request) {
        auto operation = operation_named(fmt::format(fmt::runtime(id_format), records_.size() + 1));
        static_cast<FlowRequest&>(operation) = request;
        operation.endpoint = meant(request.endpoint);
        auto flows = std::make_shared<const std::vector<FlowRow>>(numbered_flows(0, at_once_.value_or(0)));
        records_.push_back({operation, request.token, std::move(flows)});
        if (at_once_) {
            records_.back().operation.status = OperationStatus::Completed;
            records_.back().operation.counts.matched = *at_once_;
        }
        return operation;
    }
    Result<void> send_blocks(std::span<const FlowRow> flows, std::uint64_t first, const PackedFlowsSink& sink) const {
        constexpr std::size_t kBlock = 256;
        for (auto row = first - first % kBlock; row < flows.size(); row += kBlock) {
            if (row >= break_after_) return failed("the disk is broken");
            const auto count = std::min<std::size_t>(kBlock, flows.size() - row);
            if (auto sent = sink(packed(row, flows.subspan(row, count))); !sent) return sent;
        }
        return {};
    }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Record> records_;
    std::optional<std::uint32_t> at_once_;
    std::optional<Error> error_;
    gateway::OperationRequest last_request_;
    gateway::PolicyRequest last_policy_request_;
    gateway::QuarantineRequest last_quarantine_request_;
    gateway::EndedFlowQuery last_ended_query_;
    std::deque<EndedRecord> ended_;
    std::vector<std::string> refusals_;
    std::atomic<std::size_t> break_after_ = SIZE_MAX;
    std::atomic<int> streams_ = 0;
    std::atomic<int> waiting_ = 0;
};

}  // namespace headgate::testing
