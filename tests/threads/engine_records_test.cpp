// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "operations/engine.h"
#include "support/operating_engine.h"

namespace headgate::testing {
namespace engine_records_test {

using namespace std::chrono_literals;
using operations::Engine;

/// A store in which one kind of write fails.
class FailingStore : public MemoryStore {
  public:
    using MemoryStore::MemoryStore;
    Result<void> record_outcomes(std::string_view id, std::uint64_t block, std::span<const FlowRow> endings) override {
        if (settling_fails > 0 && settling_fails-- > 0) return system_error(ENOSPC, "disk");
        return MemoryStore::record_outcomes(id, block, endings);
    }
    Result<void> update(const FlowOperation& operation) override {
        const bool ends = operation.status != OperationStatus::InProgress;
        if (ends && ending_fails > 0 && ending_fails-- > 0) return system_error(ENOSPC, "disk");
        return MemoryStore::update(operation);
    }
    /// Like SqliteStore, may have stored some of the rows when not all of them fit.
    Result<void> append(std::string_view id, std::span<const FlowRow> flows) override {
        const auto fitting = flows.first(std::min(flows.size(), taken_at_most));
        taken_at_most -= fitting.size();
        if (auto taken = MemoryStore::append(id, fitting); !taken) return taken;
        return fitting.size() == flows.size() ? Result<void>{} : system_error(ENOSPC, "disk");
    }

    int settling_fails = 0;  ///< number of calls that fail
    int ending_fails = 0;
    std::size_t taken_at_most = SIZE_MAX;  ///< rows that still fit
};

class OperatingOnAFailingDisk : public Operating {
  protected:
    OperatingOnAFailingDisk() {
        engine_ = std::make_unique<Engine>(
            failing_, clock_, audit_, [this](const Endpoint&) { return access_to(table_, ruleset_); },
            operations::EngineSettings{.state_dir = folder_.path("")});
    }
    /// Expects all ten flows, once each and in order, although the store could not keep them.
    void expect_told(const FlowOperation& operation) {
        EXPECT_EQ(operation.status, OperationStatus::Completed) << operation.detail;
        EXPECT_EQ(operation.counts.matched, 10U);
        ASSERT_FALSE(operation.warnings.empty());
        EXPECT_TRUE(operation.warnings.front().starts_with("not kept, so it cannot be looked up later: "))
            << operation.warnings.front();
        EXPECT_EQ(engine_->find(operation.id).value(), operation);
        std::vector<std::uint16_t> ports;
        const auto told = engine_->for_each_flow(operation.id, 0, [&](std::span<const FlowRow> flows) {
            for (const auto& each : flows)
                ports.push_back(each.flow.original.source_port);
            return Result<void>{};
        });
        EXPECT_TRUE(told.has_value());
        EXPECT_EQ(ports, (std::vector<std::uint16_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
    }

    FailingStore failing_{disk_, clock_};
};

TEST_F(OperatingOnAFailingDisk, what_became_of_flows_is_written_at_the_second_try) {
    failing_.settling_fails = 1;
    const auto operation = run(request_for(OperationType::Flush));
    EXPECT_EQ(operation.status, OperationStatus::CompletedWithErrors);
    EXPECT_EQ(operation.counts.flushed, 10U);
    EXPECT_EQ(store_.find(operation.id).value()->status, OperationStatus::CompletedWithErrors);
    EXPECT_EQ(store_.flows(operation.id, 0, 1)->front().outcome, Outcome::Flushed);
}

TEST_F(OperatingOnAFailingDisk, or_else_settled_like_what_was_cut) {
    failing_.settling_fails = 2;
    const auto operation = run(request_for(OperationType::Flush));
    EXPECT_EQ(operation.status, OperationStatus::CompletedWithErrors);
    EXPECT_NE(operation.detail.find("its result could not be recorded"), std::string::npos);
    EXPECT_EQ(store_.find(operation.id).value()->status, OperationStatus::InProgress);
    ASSERT_TRUE(engine_->recover_interrupted().has_value());
    EXPECT_EQ(store_.find(operation.id).value()->status, OperationStatus::CompletedWithErrors);
    EXPECT_EQ(store_.find(operation.id).value()->counts.gone, 10U);
}

TEST_F(OperatingOnAFailingDisk, a_capture_whose_end_cannot_be_written_is_returned_and_not_kept) {
    failing_.ending_fails = 1;
    const auto operation = run(request_for(OperationType::Capture));
    expect_told(operation);
    EXPECT_EQ(store_.find(operation.id).value()->status, OperationStatus::Failed) << "to others";
    EXPECT_EQ(audit_lines().size(), 1U);
}

TEST_F(OperatingOnAFailingDisk, a_capture_that_fills_the_disk_is_returned_and_not_kept) {
    failing_.taken_at_most = 4;
    const auto operation = run(request_for(OperationType::Capture));
    expect_told(operation);
    ASSERT_EQ(engine_->list({})->size(), 1U);
    EXPECT_EQ(engine_->list({})->front().status, OperationStatus::Completed);
}

TEST_F(OperatingOnAFailingDisk, a_dry_run_that_fills_the_disk_is_returned_and_not_kept) {
    failing_.taken_at_most = 0;
    auto request = request_for(OperationType::Flush);
    request.dry_run = true;
    expect_told(run(request));
    EXPECT_EQ(table_.removals_asked, 0U);
}

TEST_F(OperatingOnAFailingDisk, what_is_not_kept_is_found_by_its_token) {
    failing_.ending_fails = 1;
    auto request = request_for(OperationType::Capture);
    request.token = "once";
    const auto operation = run(request);
    EXPECT_EQ(engine_->start(request)->id, operation.id);
    disk_->limit_to(0);
    request.token = "twice";
    const auto unkept = run(request);
    expect_told(unkept);
    EXPECT_EQ(engine_->start(request)->id, unkept.id);
}

TEST_F(Operating, on_a_full_disk_captures_and_reports_what_is_not_kept) {
    disk_->limit_to(0);
    audit_.write_to("/dev/full");
    const auto operation = run(request_for(OperationType::Capture));
    EXPECT_EQ(operation.status, OperationStatus::Completed);
    ASSERT_EQ(operation.warnings.size(), 2U);
    EXPECT_TRUE(operation.warnings[0].starts_with("not kept, so it cannot be looked up later: "))
        << operation.warnings[0];
    EXPECT_TRUE(operation.warnings[1].starts_with("not recorded: audit log /dev/full")) << operation.warnings[1];
    EXPECT_EQ(engine_->flows(operation.id, 3, 100)->size(), 7U);
    EXPECT_TRUE(store_.list({})->empty());
    EXPECT_EQ(engine_->start(request_for(OperationType::Flush)).error().kind, ErrorKind::DiskFault);
    EXPECT_EQ(table_.removals_asked, 0U);
}

TEST_F(Operating, keeps_what_a_clock_two_days_ahead_calls_old) {
    make_engine({.retention = 12h});
    const auto first = run(request_for(OperationType::Capture)).id;
    clock_.jump(48h);
    const auto ahead = run(request_for(OperationType::Capture)).id;
    clock_.jump(-48h);
    static_cast<void>(run(request_for(OperationType::Capture)));
    EXPECT_TRUE(engine_->find(first).has_value());
    EXPECT_TRUE(engine_->find(ahead).has_value());
    clock_.pass(13h);
    ASSERT_TRUE(engine_->tidy().has_value());
    EXPECT_TRUE(store_.list({})->empty()) << "the one ahead does not stay for longer, either";
}

TEST_F(Operating, reports_operations_removed_before_the_time_in_a_flush_too) {
    make_engine({.disk_budget = 2500});
    for (int i = 0; i < 3; ++i)
        static_cast<void>(run(request_for(OperationType::Capture)));
    const auto flush = run(request_for(OperationType::Flush, "source-port=1"));
    ASSERT_FALSE(flush.warnings.empty());
    EXPECT_NE(flush.warnings.front().find("to keep to disk_budget"), std::string::npos) << flush.warnings.front();
}

TEST_F(Operating, that_was_cut_where_the_namespace_is_gone_is_settled_without_it) {
    FlowOperation cut;
    cut.id = "cut";
    cut.type = OperationType::Flush;
    cut.phase = OperationPhase::Flushing;
    cut.endpoint = {"edge", "a", "gone"};
    ASSERT_TRUE(store_.begin(cut, {}).has_value());
    const std::vector<FlowRow> rows{{table_.flows[0], {}}, {table_.flows[1], {}}};
    ASSERT_TRUE(store_.append_pending("cut", rows).has_value());
    int error = EPERM;
    engine_ = std::make_unique<Engine>(
        store_, clock_, audit_,
        [&](const Endpoint&) -> Result<operations::EndpointAccess> { return system_error(error, "namespace"); },
        operations::EngineSettings{.state_dir = folder_.path("")});
    EXPECT_FALSE(engine_->recover_interrupted().has_value()) << "who may not ask leaves it to others";
    EXPECT_EQ(store_.find("cut").value()->status, OperationStatus::InProgress);
    error = ENOENT;
    EXPECT_TRUE(engine_->recover_interrupted().has_value());
    EXPECT_EQ(store_.find("cut").value()->status, OperationStatus::CompletedWithErrors);
    EXPECT_EQ(store_.find("cut").value()->counts.gone, 2U);
}

TEST_F(Operating, whose_flows_take_more_than_the_disk_budget_ends_none_of_them) {
    make_engine({.disk_budget = 1000});
    const auto operation = run(request_for(OperationType::Flush));
    EXPECT_EQ(operation.status, OperationStatus::Failed);
    EXPECT_NE(operation.detail.find("disk_budget"), std::string::npos) << operation.detail;
    EXPECT_EQ(table_.removals_asked, 0U);
}

TEST_F(Operating, on_a_full_disk_ends_no_flow) {
    disk_->limit_to(600);
    const auto operation = run(request_for(OperationType::Flush));
    EXPECT_EQ(operation.status, OperationStatus::Failed);
    EXPECT_NE(operation.detail.find("No space left on device"), std::string::npos) << operation.detail;
    EXPECT_EQ(table_.removals_asked, 0U);
    disk_->limit_to(0);
    EXPECT_FALSE(engine_->start(request_for(OperationType::Flush)).has_value());
}

TEST_F(Operating, ends_after_its_retention) {
    make_engine({.retention = 12h});
    const auto old = run(request_for(OperationType::Capture)).id;
    clock_.pass(11h);
    const auto younger = run(request_for(OperationType::Capture)).id;
    clock_.pass(2h);
    ASSERT_TRUE(engine_->tidy().has_value());
    EXPECT_EQ(engine_->find(old).error().kind, ErrorKind::NotFound);
    EXPECT_TRUE(engine_->find(younger).has_value());
}

TEST_F(Operating, beyond_the_disk_budget_the_oldest_are_removed_and_that_is_reported) {
    make_engine({.disk_budget = 2500});
    const auto oldest = run(request_for(OperationType::Capture)).id;
    static_cast<void>(run(request_for(OperationType::Capture)));
    static_cast<void>(run(request_for(OperationType::Capture)));
    const auto last = run(request_for(OperationType::Capture));
    ASSERT_FALSE(last.warnings.empty());
    EXPECT_NE(last.warnings.front().find("to keep to disk_budget"), std::string::npos);
    EXPECT_FALSE(engine_->find(oldest).has_value());
}

TEST_F(Operating, leaves_one_line_of_audit_for_every_request) {
    const auto done = run(request_for(OperationType::Flush, "source-port=1:4"));
    auto other = done;
    other.id = "other";
    const auto lock = operations::EndpointLock::acquire(folder_.path(""), other);
    EXPECT_FALSE(engine_->start(request_for(OperationType::Flush)).has_value());
    const auto lines = audit_lines();
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(
        lines[0],
        "{\"time\":\"2026-11-21T00:00:00.000Z\",\"operation_id\":\"" + done.id +
            "\",\"action\":\"flush\",\"caller\":{\"face\":\"cli\",\"uid\":0,\"user\":\"root\",\"sudo_user\":"
            "\"alice\",\"source_address\":\"192.0.2.7\"},\"source_address\":\"192.0.2.7\",\"firewall\":\"edge\","
            "\"availability_zone\":\"a\",\"requested_at\":\"2026-11-21T00:00:00.000Z\",\"minimum_age_seconds\":0,"
            "\"filters\":[{\"source_port\":\"1:4\"}],\"dry_run\":false,\"include_protected\":false,"
            "\"stream_exception_policy\":\"none\",\"result\":\"COMPLETED\",\"counts\":{\"scanned\":10,\"matched\":4,"
            "\"flushed\":4,\"gone\":0,\"failed\":0,\"protected\":0},\"duration_ms\":0}");
    EXPECT_NE(lines[1].find("\"result\":\"REFUSED\",\"detail\":\"busy: operation other"), std::string::npos)
        << lines[1];
}

TEST_F(Operating, that_cannot_be_audited_is_not_begun) {
    audit_.write_to("/proc/nowhere/audit.log");
    EXPECT_FALSE(engine_->start(request_for(OperationType::Flush)).has_value());
    EXPECT_EQ(table_.removals_asked, 0U);
    EXPECT_TRUE(store_.list({})->empty());
}

TEST_F(Operating, that_is_settled_forgets_flows_that_were_remembered_and_not_ended) {
    StreamExceptionPolicy reject;
    reject.name = "reject";
    reject.exception = StreamException::Reject;
    ASSERT_TRUE(ruleset_.apply(reject).has_value());
    FlowOperation cut;
    cut.id = "cut";
    cut.type = OperationType::Flush;
    cut.phase = OperationPhase::Flushing;
    cut.endpoint = {"edge", "a", ""};
    cut.requested_at = clock_.now();
    ASSERT_TRUE(store_.begin(cut, {}).has_value());
    const std::vector<FlowRow> rows{{table_.flows[0], {}}, {table_.flows[1], {}}};
    ASSERT_TRUE(store_.append_pending("cut", rows).has_value());
    ASSERT_EQ(ruleset_.remember(rows, 300s), Remembered::All);
    table_.flows.pop_front();
    ASSERT_TRUE(engine_->recover_interrupted().has_value());
    EXPECT_EQ(store_.find("cut").value()->status, OperationStatus::CompletedWithErrors);
    EXPECT_EQ(ruleset_.status()->remembered_flows, 1U);
    EXPECT_EQ(audit_lines().size(), 1U) << "it, too, is recorded";
}

TEST_F(Operating, that_another_process_runs_is_not_recovered) {
    Gate gate{table_};
    const auto started = engine_->start(request_for(OperationType::Capture));
    gate.wait_for_operation();
    EXPECT_TRUE(engine_->recover_interrupted().has_value());
    EXPECT_EQ(store_.find(started->id).value()->status, OperationStatus::InProgress);
    gate.open();
    EXPECT_EQ(engine_->wait(started->id, 1min)->status, OperationStatus::Completed);
}

}  // namespace engine_records_test
}  // namespace headgate::testing
