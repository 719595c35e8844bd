// SPDX-License-Identifier: GPL-2.0-or-later
// Non-owning wrappers: an engine opens a table, a ruleset and a judge repeatedly, and always gets the same ones.
#pragma once

#include <memory>
#include <utility>

#include "headgate/flow_table.h"
#include "headgate/judge.h"
#include "headgate/ruleset.h"

#include "operations/endpoint_access.h"

namespace headgate::testing {

class ForwardingTable final : public FlowTable {
  public:
    explicit ForwardingTable(FlowTable& table) : table_(table) {}
    Result<ScanReport> scan(const FlowQuery& query, const Moment& moment, ScanListener& listener) override {
        return table_.scan(query, moment, listener);
    }
    void forgo_fast_scans() override { table_.forgo_fast_scans(); }
    Result<void> look_up(std::span<const FlowRow> rows, const PresenceSink& found) override {
        return table_.look_up(rows, found);
    }
    Result<void> remove(std::span<const FlowRow> rows, const Confirmation& confirm, const EndingSink& ended) override {
        return table_.remove(rows, confirm, ended);
    }
    Result<void> insert(std::span<const Flow> flows, const InsertionSink& told) override {
        return table_.insert(flows, told);
    }
    Result<TableUsage> usage() override { return table_.usage(); }
    Result<bool> tcp_loose() override { return table_.tcp_loose(); }

  private:
    FlowTable& table_;
};

class ForwardingRuleset final : public Ruleset {
  public:
    explicit ForwardingRuleset(Ruleset& ruleset) : ruleset_(ruleset) {}
    Result<std::optional<StreamExceptionPolicy>> in_force() override { return ruleset_.in_force(); }
    Result<Application> apply(const StreamExceptionPolicy& policy) override { return ruleset_.apply(policy); }
    Result<void> remove() override { return ruleset_.remove(); }
    Result<RulesetCondition> condition() override { return ruleset_.condition(); }
    Result<std::vector<PolicyCounter>> counters() override { return ruleset_.counters(); }
    Result<RulesetStatus> status() override { return ruleset_.status(); }
    Result<Remembered> remember(std::span<const FlowRow> rows, std::optional<std::chrono::seconds> time) override {
        return ruleset_.remember(rows, time);
    }
    Result<void> forget(std::span<const FlowRow> rows) override { return ruleset_.forget(rows); }
    Result<void> open_window(Protocol protocol, std::chrono::seconds time) override {
        return ruleset_.open_window(protocol, time);
    }

  private:
    Ruleset& ruleset_;
};

class ForwardingJudge final : public Judge {
  public:
    explicit ForwardingJudge(Judge& judge) : judge_(judge) {}
    Result<JudgedRuleset> prepare(const std::optional<std::string>& candidate) override {
        return judge_.prepare(candidate);
    }
    Result<std::vector<FlowVerdict>> judge(std::span<const Flow> flows) override { return judge_.judge(flows); }
    Result<std::uint32_t> generation_now() override { return judge_.generation_now(); }

  private:
    Judge& judge_;
};

inline operations::EndpointAccess access_to(FlowTable& table, Ruleset& ruleset) {
    operations::EndpointAccess access;
    access.table = std::make_unique<ForwardingTable>(table);
    access.ruleset = std::make_unique<ForwardingRuleset>(ruleset);
    return access;
}

inline operations::EndpointAccess access_to(FlowTable& table, Ruleset& ruleset, Judge& judge) {
    auto access = access_to(table, ruleset);
    access.judge = std::make_unique<ForwardingJudge>(judge);
    return access;
}

}  // namespace headgate::testing
