// SPDX-License-Identifier: GPL-2.0-or-later
// An engine reports the end of each operation to its listener exactly once.
#include <gtest/gtest.h>

#include <cerrno>
#include <memory>

#include "operations/endpoint_access.h"
#include "operations/engine.h"
#include "support/flow_builder.h"
#include "support/forwarding_seams.h"
#include "support/manual_clock.h"
#include "support/memory_flow_table.h"
#include "support/memory_ruleset.h"
#include "support/memory_store.h"
#include "support/stored_operations.h"
#include "support/temporary_folder.h"

namespace headgate::operations {
namespace operation_listener_test {

using namespace headgate::testing;
using namespace std::chrono_literals;

/// A store that fails to record the next end of an operation.
class StoreWithoutAnEnd : public MemoryStore {
  public:
    Result<void> update(const FlowOperation& operation) override {
        const bool ends = operation.status != OperationStatus::InProgress;
        if (ends && (settling_fails_ || std::exchange(fails_, false))) return system_error(ENOSPC, "disk");
        return MemoryStore::update(operation);
    }
    Result<void> record_outcomes(std::string_view id, std::uint64_t block, std::span<const FlowRow> endings) override {
        if (settling_fails_) return system_error(ENOSPC, "disk");
        return MemoryStore::record_outcomes(id, block, endings);
    }
    void fail_next_end() { fails_ = true; }
    void fail_settling() { settling_fails_ = true; }
    void work_again() { settling_fails_ = false; }

  private:
    bool fails_ = false;
    bool settling_fails_ = false;
};

/// Records the flows that the engine reports.
class Witness final : public FlushListener {
  public:
    void flushed(const FlowOperation& /*operation*/, std::span<const FlowRow> endings) const override {
        for (const auto& each : endings)
            if (each.outcome == Outcome::Flushed) flushed_ids.push_back(each.flow.id);
    }
    void lost_sight_of(const FlowOperation& /*operation*/, std::span<const Flow> flows) const override {
        for (const auto& each : flows)
            lost_ids.push_back(each.id);
    }

    mutable std::vector<std::uint32_t> flushed_ids, lost_ids;
};

class Listening : public ::testing::Test {
  protected:
    Listening() {
        for (std::uint16_t port = 1; port <= 10; ++port)
            table_.flows.push_back(tcp_flow().from_port(port).established().with_id(port));
    }

    static OperationRequest request_for(OperationType type, std::string_view filter = "protocol=tcp") {
        OperationRequest request;
        request.type = type;
        request.endpoint = {"edge", "a", ""};
        request.query = query_for(filter);
        return request;
    }
    FlowOperation run(const OperationRequest& request) {
        const auto started = engine_.start(request);
        EXPECT_TRUE(started.has_value()) << (started ? "" : started.error().message);
        return started ? engine_.wait(started->id, 1min).value() : FlowOperation{};
    }

    TemporaryFolder folder_;
    ManualClock clock_;
    MemoryFlowTable table_;
    MemoryRuleset ruleset_;
    StoreWithoutAnEnd store_;
    AuditTrail audit_{folder_.path("audit.log"), clock_};
    std::vector<FlowOperation> told_;  ///< needs no lock: Engine::wait() also waits for the listener
    Witness witness_;
    Engine engine_{store_,
                   clock_,
                   audit_,
                   [this](const Endpoint&) { return access_to(table_, ruleset_); },
                   {.state_dir = folder_.path("")},
                   [this](const FlowOperation& ended) { told_.push_back(ended); },
                   witness_};
};

TEST_F(Listening, reports_an_operation_as_it_ended) {
    const auto captured = run(request_for(OperationType::Capture));
    const auto flushed = run(request_for(OperationType::Flush, "source-port=1:4"));
    EXPECT_EQ(told_, (std::vector{captured, flushed}));
    EXPECT_EQ(told_.back().counts.flushed, 4U);
    EXPECT_EQ(told_.back().status, OperationStatus::Completed);
}

TEST_F(Listening, reports_what_is_refused_before_it_begins) {
    auto request = request_for(OperationType::Flush);
    request.from_operation = "never-was";
    ASSERT_FALSE(engine_.start(request).has_value());
    FlowOperation unknown_endpoint;
    static_cast<void>(engine_.refuse(unknown_endpoint, {ErrorKind::Invalid, "firewall: unknown", 0}));
    ASSERT_EQ(told_.size(), 2U);
    for (const auto& each : told_) {
        EXPECT_TRUE(each.refused);
        EXPECT_TRUE(each.id.empty());
    }
}

TEST_F(Listening, reports_nothing_of_a_request_that_is_repeated) {
    auto request = request_for(OperationType::Capture);
    request.token = "once";
    const auto first = run(request);
    ASSERT_EQ(engine_.start(request)->id, first.id);
    EXPECT_EQ(told_.size(), 1U);
}

TEST_F(Listening, reports_one_whose_end_could_not_be_written_when_it_is_recovered) {
    store_.fail_next_end();
    const auto cut = run(request_for(OperationType::Flush));
    EXPECT_TRUE(told_.empty());
    ASSERT_TRUE(engine_.recover_interrupted().has_value());
    ASSERT_EQ(told_.size(), 1U);
    EXPECT_EQ(told_.front().id, cut.id);
    EXPECT_NE(told_.front().status, OperationStatus::InProgress);
    EXPECT_EQ(witness_.flushed_ids.size(), 10U);
}

TEST_F(Listening, reports_each_flow_that_is_flushed_and_no_other) {
    table_.at_removal = [this] { std::erase_if(table_.flows, [](const Flow& flow) { return flow.id == 3; }); };
    run(request_for(OperationType::Flush, "source-port=1:4"));
    EXPECT_EQ(witness_.flushed_ids, (std::vector<std::uint32_t>{1, 2, 4}));
    EXPECT_TRUE(witness_.lost_ids.empty());
}

TEST_F(Listening, reports_no_flow_twice_where_the_journal_could_not_be_completed) {
    store_.fail_settling();
    run(request_for(OperationType::Flush));
    store_.work_again();
    ASSERT_TRUE(engine_.recover_interrupted().has_value());
    EXPECT_EQ(witness_.flushed_ids.size(), 10U);
    EXPECT_TRUE(witness_.lost_ids.empty());
}

TEST_F(Listening, reports_the_flows_that_another_process_was_ending_when_it_was_killed) {
    store_.fail_settling();
    FlowOperation cut;
    {
        Engine killed{store_,
                      clock_,
                      audit_,
                      [this](const Endpoint&) { return access_to(table_, ruleset_); },
                      {.state_dir = folder_.path("")}};
        cut = killed.wait(killed.start(request_for(OperationType::Flush, "source-port=1:4"))->id, 1min).value();
    }
    store_.work_again();
    ASSERT_TRUE(engine_.recover_interrupted().has_value());
    EXPECT_TRUE(witness_.flushed_ids.empty());
    EXPECT_EQ(witness_.lost_ids, (std::vector<std::uint32_t>{1, 2, 3, 4}));
}

}  // namespace operation_listener_test
}  // namespace headgate::operations
