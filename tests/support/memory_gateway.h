// A gateway in memory: operations that end when a test says so, and a policy that is what was applied last. One
// endpoint, firewall `edge` in zone `a`; every call takes it by name or without.
#pragma once

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "gateway/gateway.h"
#include "support/stored_operations.h"

namespace headgate::testing {

class MemoryGateway final : public gateway::Gateway {
  public:
    // What a test arranges, and looks at.

    /// Operations end as soon as they begin, with so many flows.
    void complete_at_once(std::uint32_t flows) {
        const std::lock_guard lock{mutex_};
        at_once_ = flows;
    }
    void finish(const std::string& id, std::vector<StoredFlow> flows) {
        {
            const std::lock_guard lock{mutex_};
            Record& record = records_.at(place_of(id));
            record.flows = std::move(flows);
            record.operation.status = OperationStatus::Completed;
            record.operation.counts.matched = record.flows.size();
        }
        changed_.notify_all();
    }
    /// From now on everything fails with it.
    void fail_with(Error error) {
        const std::lock_guard lock{mutex_};
        error_ = std::move(error);
    }
    /// A stream of flows breaks after so many.
    void break_after(std::size_t flows) { break_after_ = flows; }

    [[nodiscard]] gateway::OperationOrder last_order() const {
        const std::lock_guard lock{mutex_};
        return last_order_;
    }
    [[nodiscard]] gateway::PolicyOrder last_policy_order() const {
        const std::lock_guard lock{mutex_};
        return last_policy_order_;
    }
    [[nodiscard]] int streams() const { return streams_; }  ///< under way
    [[nodiscard]] int waiting() const { return waiting_; }  ///< calls of wait() under way

    RulesetStatus ruleset;
    gateway::TableCensus census;

    Result<FlowOperation> start(const gateway::OperationOrder& order) override {
        const std::lock_guard lock{mutex_};
        if (auto checked = check(order.endpoint); !checked) return tl::unexpected(std::move(checked.error()));
        last_order_ = order;
        for (const auto& each : records_) {
            if (!order.token.empty() && each.token == order.token) return each.operation;
            if (each.operation.status == OperationStatus::InProgress) {
                return tl::unexpected(Error{ErrorKind::Refused, "one is running: " + each.operation.id, EBUSY});
            }
        }
        if (!order.from_operation.empty() && !is_there(order.from_operation)) return unknown(order.from_operation);
        return begin(order);
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
            const bool fits =
                (!selection.type || *selection.type == operation.type) &&
                (!selection.status || *selection.status == operation.status) &&
                (!selection.firewall || *selection.firewall == operation.endpoint.firewall) &&
                (!selection.availability_zone || *selection.availability_zone == operation.endpoint.availability_zone);
            if (behind && fits) listed.push_back(operation);
            if (operation.id == selection.before_id) behind = true;
        }
        return listed;
    }

    Result<void> for_each_flow(std::string_view id, std::uint64_t first, const StoredFlowSink& take) override {
        const std::vector<StoredFlow>* flows = nullptr;
        {
            const std::lock_guard lock{mutex_};
            if (!is_there(id)) return unknown(id);
            flows = &records_.at(place_of(id)).flows;  // those of one that has ended stay as they are
        }
        ++streams_;
        auto told = tell(*flows, std::min<std::uint64_t>(first, flows->size()), take);
        --streams_;
        return told;
    }

    Result<gateway::TableCensus> count_flows(const gateway::EndpointName& endpoint) override {
        const std::lock_guard lock{mutex_};
        return check(endpoint).map([&] { return census; });
    }
    Result<gateway::EndpointPolicy> policy_status(const gateway::EndpointName& endpoint) override {
        const std::lock_guard lock{mutex_};
        return check(endpoint).map([&] { return status(); });
    }
    Result<gateway::EndpointPolicy> apply_policy(const gateway::PolicyOrder& order) override {
        const std::lock_guard lock{mutex_};
        last_policy_order_ = order;
        return check(order.endpoint).map([&] {
            ruleset.policy.emplace().name = order.policy;
            ruleset.condition = RulesetCondition::AsApplied;
            auto now = status();
            now.warnings = {"applied in memory alone"};
            return now;
        });
    }
    Result<gateway::EndpointPolicy> remove_policy(const gateway::PolicyOrder& order) override {
        const std::lock_guard lock{mutex_};
        last_policy_order_ = order;
        return check(order.endpoint).map([&] {
            ruleset = {};
            return status();
        });
    }

  private:
    struct Record {
        FlowOperation operation;
        std::string token;
        std::vector<StoredFlow> flows;
    };

    static tl::unexpected<Error> unknown(std::string_view id) {
        return tl::unexpected(Error{ErrorKind::Invalid, fmt::format("operation {} is not there", id), ENOENT});
    }
    [[nodiscard]] Result<void> check(const gateway::EndpointName& endpoint) const {
        if (error_) return tl::unexpected(*error_);
        if (endpoint.firewall.value_or("edge") != "edge")
            return invalid("firewall: \"{}\" is unknown", *endpoint.firewall);
        if (endpoint.availability_zone.value_or("a") != "a") return invalid("availability-zone: unknown");
        return {};
    }
    [[nodiscard]] std::size_t place_of(std::string_view id) const {
        const auto found = std::ranges::find_if(records_, [&](const auto& each) { return each.operation.id == id; });
        return static_cast<std::size_t>(found - records_.begin());
    }
    [[nodiscard]] bool is_there(std::string_view id) const { return place_of(id) != records_.size(); }
    [[nodiscard]] gateway::EndpointPolicy status() const { return {{"edge", "a", ""}, ruleset, {}}; }

    FlowOperation begin(const gateway::OperationOrder& order) {
        auto operation = operation_named(fmt::format("operation-{}", records_.size() + 1));
        operation.type = order.type;
        operation.endpoint = {"edge", "a", ""};
        operation.caller = order.caller;
        operation.query = order.query;
        operation.from_operation = order.from_operation;
        operation.dry_run = order.dry_run;
        operation.include_protected = order.include_protected;
        records_.push_back({operation, order.token, {}});
        if (at_once_) {
            records_.back().flows = numbered_flows(0, *at_once_);
            records_.back().operation.status = OperationStatus::Completed;
        }
        return operation;
    }
    Result<void> tell(std::span<const StoredFlow> flows, std::size_t first, const StoredFlowSink& take) const {
        for (; first < flows.size(); first += 256) {
            if (first >= break_after_) return failed("the disk is broken");
            const auto count = std::min<std::size_t>(256, flows.size() - first);
            if (auto taken = take(flows.subspan(first, count)); !taken) return taken;
        }
        return {};
    }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Record> records_;
    std::optional<std::uint32_t> at_once_;
    std::optional<Error> error_;
    gateway::OperationOrder last_order_;
    gateway::PolicyOrder last_policy_order_;
    std::atomic<std::size_t> break_after_ = SIZE_MAX;
    std::atomic<int> streams_ = 0;
    std::atomic<int> waiting_ = 0;
};

}  // namespace headgate::testing
