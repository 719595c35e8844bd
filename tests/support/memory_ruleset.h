// SPDX-License-Identifier: GPL-2.0-or-later
// An in-memory ruleset that behaves like nftables, as far as Ruleset specifies. Both pass the same conformance cases
// (ruleset_conformance.h).
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>
#include <vector>

#include "headgate/ruleset.h"

namespace headgate::testing {

class MemoryRuleset final : public Ruleset {
  public:
    Result<std::optional<StreamExceptionPolicy>> in_force() override {
        auto policy = policy_;
        if (policy) {
            policy->description.clear();
            policy->log.reset();
            std::ranges::sort(policy->hooks);
        }
        return policy;
    }
    Result<Application> apply(const StreamExceptionPolicy& policy) override {
        forget();
        if (condition_ == RulesetCondition::AsApplied && same_but_for_description(*policy_, policy)) {
            return Application::NotNeeded;
        }
        if (policy.scope == MidstreamScope::Flushed && flows_.size() > policy.remember_at_most) {
            return refused("{} flushed flows are remembered, and the policy remembers {} at most", flows_.size(),
                           policy.remember_at_most);
        }
        policy_ = policy;
        count_from_now_on(policy);
        condition_ = RulesetCondition::AsApplied;
        return Application::Done;
    }
    Result<void> remove() override {
        *this = MemoryRuleset{};
        return {};
    }
    Result<RulesetCondition> condition() override { return condition_; }
    Result<std::vector<PolicyCounter>> counters() override { return counters_; }
    Result<RulesetStatus> status() override {
        forget();
        RulesetStatus status;
        status.policy = in_force().value();
        status.condition = condition_;
        status.counters = counters_;
        status.remembered_flows = flows_.size();
        for (const auto& [protocol, end] : windows_)
            status.windows.push_back({protocol, std::chrono::ceil<std::chrono::seconds>(end - now_)});
        return status;
    }
    Result<Remembered> remember(std::span<const FlowRow> rows, std::optional<std::chrono::seconds> time) override {
        if (!remembers()) return failed("no policy that remembers flushed flows is in force");
        forget();
        auto added = flows_;
        for (const auto& row : rows) {
            std::erase_if(added, [&](const auto& flow) { return flow.first == row.flow.original; });
            added.emplace_back(row.flow.original, now_ + memory_of(row.flow, time));
        }
        if (added.size() > policy_->remember_at_most) return Remembered::None;
        flows_ = std::move(added);
        return Remembered::All;
    }
    Result<void> forget(std::span<const FlowRow> rows) override {
        for (const auto& row : rows)
            std::erase_if(flows_, [&](const auto& flow) { return flow.first == row.flow.original; });
        return {};
    }
    Result<void> open_window(Protocol protocol, std::chrono::seconds time) override {
        if (!remembers()) return failed("no policy that remembers flushed flows is in force");
        windows_[protocol] = now_ + time;
        return {};
    }

    void pass(std::chrono::milliseconds time) { now_ += time; }

    /// Simulates another program that removes or modifies the table.
    void meddle(RulesetCondition condition) {
        condition_ = condition;
        if (condition != RulesetCondition::Missing) return;
        policy_.reset();
        flows_.clear();
        windows_.clear();
        counters_.clear();
    }

  private:
    using Moment = std::chrono::milliseconds;

    static bool same_but_for_description(StreamExceptionPolicy a, const StreamExceptionPolicy& b) {
        a.description = b.description;
        return a == b;
    }
    [[nodiscard]] bool remembers() const { return policy_ && policy_->scope == MidstreamScope::Flushed; }
    /// Adds the kernel's counters of one protocol only, which stay 0, as there are no packets.
    void count_from_now_on(const StreamExceptionPolicy& policy) {
        for (const auto hook : policy.hooks) {
            const PolicyCounter fresh{policy.name, hook, PacketDirection::Any, "tcp", 0, 0};
            if (std::ranges::find(counters_, fresh) == counters_.end()) counters_.push_back(fresh);
        }
    }
    void forget() {
        std::erase_if(flows_, [&](const auto& flow) { return flow.second <= now_; });
        std::erase_if(windows_, [&](const auto& window) { return window.second <= now_; });
    }

    std::optional<StreamExceptionPolicy> policy_;
    RulesetCondition condition_ = RulesetCondition::NothingApplied;
    std::vector<std::pair<FlowTuple, Moment>> flows_;
    std::map<Protocol, Moment> windows_;
    std::vector<PolicyCounter> counters_;
    Moment now_{0};
};

}  // namespace headgate::testing
