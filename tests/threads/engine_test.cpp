// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/engine.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <cerrno>
#include <thread>

#include "support/operating_engine.h"

namespace headgate::testing {

class EngineInMemory {
  public:
    FlowTable& table() { return table_; }
    Ruleset& ruleset() { return ruleset_; }
    OperationStore& store() { return store_; }
    static std::string reason_to_skip() { return {}; }

  private:
    MemoryFlowTable table_;
    MemoryRuleset ruleset_;
    MemoryStore store_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, EngineConformance, EngineInMemory);

namespace engine_test {

using namespace std::chrono_literals;
using operations::Engine;
using std::chrono::days;

TEST_F(Operating, answers_at_once_and_can_be_followed) {
    Gate gate{table_};
    const auto started = engine_->start(request_for(OperationType::Flush));
    ASSERT_TRUE(started.has_value());
    EXPECT_EQ(started->status, OperationStatus::InProgress);
    gate.wait_for_operation();
    EXPECT_EQ(engine_->find(started->id)->status, OperationStatus::InProgress);
    EXPECT_EQ(engine_->find(started->id)->phase, OperationPhase::Identifying);
    EXPECT_EQ(engine_->list({}).value().front().status, OperationStatus::InProgress);
    EXPECT_EQ(engine_->wait(started->id, 1ms)->status, OperationStatus::InProgress);
    gate.open();
    EXPECT_EQ(engine_->wait(started->id, 1min)->status, OperationStatus::Completed);
}

TEST_F(Operating, is_requested_at_a_time_from_which_all_compute_the_same_ages) {
    clock_.pass(std::chrono::nanoseconds{1'234'567});
    const auto requested_at = run(request_for(OperationType::Capture)).requested_at;
    EXPECT_EQ(parse_rfc3339(to_rfc3339(requested_at)).value(), requested_at);
}

TEST_F(Operating, one_at_a_time_on_an_endpoint) {
    make_engine({.patience = 0ms});
    Gate gate{table_};
    const auto first = engine_->start(request_for(OperationType::Capture));
    gate.wait_for_operation();
    const auto second = engine_->start(request_for(OperationType::Flush));
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().kind, ErrorKind::Busy);
    EXPECT_NE(second.error().message.find(first->id), std::string::npos);
    EXPECT_EQ(table_.removals_asked, 0U);
    gate.open();
    EXPECT_EQ(engine_->wait(first->id, 1min)->status, OperationStatus::Completed);
    table_.at_scan = nullptr;
    EXPECT_EQ(run(request_for(OperationType::Flush)).counts.flushed, 10U);
}

/// While it lives, no thread can be created: the default stack size is larger than the address space.
class NoThreads {
  public:
    NoThreads() {
        ::pthread_getattr_default_np(&usual_);
        pthread_attr_t huge{};
        ::pthread_getattr_default_np(&huge);
        ::pthread_attr_setstacksize(&huge, std::size_t{1} << 46U);
        ::pthread_setattr_default_np(&huge);
        ::pthread_attr_destroy(&huge);
    }
    ~NoThreads() {
        ::pthread_setattr_default_np(&usual_);
        ::pthread_attr_destroy(&usual_);
    }
    NoThreads(const NoThreads&) = delete;
    NoThreads& operator=(const NoThreads&) = delete;

  private:
    pthread_attr_t usual_{};
};

TEST_F(Operating, that_has_no_thread_has_failed_once) {
    const auto started = [&] {
        const NoThreads none;
        return engine_->start(request_for(OperationType::Flush));
    }();
    ASSERT_TRUE(started.has_value()) << started.error().message;
    EXPECT_EQ(started->status, OperationStatus::Failed);
    EXPECT_TRUE(started->detail.starts_with("a thread for the operation")) << started->detail;
    EXPECT_EQ(store_.find(started->id).value()->status, OperationStatus::Failed);
    ASSERT_EQ(audit_lines().size(), 1U);
    EXPECT_NE(audit_lines().front().find(started->id), std::string::npos);
    EXPECT_EQ(run(request_for(OperationType::Flush)).counts.flushed, 10U) << "the next one can be had";
}

TEST_F(Operating, past_its_deadline_fails_as_a_timeout) {
    make_engine({.timeout = 60s});
    table_.at_scan = [this] { clock_.pass(61s); };
    const auto operation = run(request_for(OperationType::Flush));
    EXPECT_EQ(operation.status, OperationStatus::Failed);
    EXPECT_EQ(operation.status_message, "Flow timeout");
    EXPECT_EQ(operation.duration, 61s);
    EXPECT_EQ(table_.removals_asked, 0U);
    EXPECT_NE(operation.detail.find("the deadline of 60 s"), std::string::npos) << operation.detail;
}

TEST_F(Operating, past_its_deadline_in_the_middle_of_a_flush_leaves_the_rest_alone) {
    table_.flows.clear();
    for (std::uint16_t port = 1; port <= 10'000; ++port)
        table_.flows.push_back(tcp_flow().from_port(port).with_id(port));
    table_.at_removal = [this] {
        if (table_.removals_asked > 256) clock_.pass(61s);
    };
    const auto operation = run(request_for(OperationType::Flush));
    EXPECT_EQ(operation.status, OperationStatus::CompletedWithErrors);
    EXPECT_EQ(operation.status_message, "Flow timeout");
    EXPECT_EQ(operation.counts.flushed, 4096U);
    EXPECT_EQ(operation.counts.failed, 5904U);
    EXPECT_EQ(store_.flows(operation.id, 0, SIZE_MAX)->size(), 10'000U);
}

TEST_F(Operating, that_is_cancelled_changes_nothing_more) {
    Gate gate{table_};
    const auto started = engine_->start(request_for(OperationType::Flush));
    gate.wait_for_operation();
    EXPECT_TRUE(engine_->cancel(started->id).has_value());
    gate.open();
    const auto operation = engine_->wait(started->id, 1min);
    EXPECT_EQ(operation->status, OperationStatus::Failed);
    EXPECT_NE(operation->detail.find("interrupted"), std::string::npos);
    EXPECT_EQ(table_.removals_asked, 0U);
    EXPECT_TRUE(engine_->cancel(started->id).has_value()) << "once more is no error";
    EXPECT_FALSE(engine_->cancel("nobody").has_value());
}

TEST_F(Operating, keeps_the_errno_of_every_flow_that_could_not_be_ended) {
    for (const int error : {EBUSY, EPERM, ENOBUFS, ENOMEM, EINVAL, EIO}) {
        SCOPED_TRACE(error);
        table_.flows = {tcp_flow().with_id(1), tcp_flow().from_port(2).with_id(2)};
        table_.failing = {{2, error}};
        const auto operation = run(request_for(OperationType::Flush));
        EXPECT_EQ(operation.status, OperationStatus::CompletedWithErrors);
        EXPECT_EQ(operation.counts.flushed, 1U);
        EXPECT_EQ(operation.counts.failed, 1U);
        const auto flows = store_.flows(operation.id, 0, 10).value();
        ASSERT_EQ(flows.size(), 2U);
        EXPECT_EQ(flows[1].outcome, Outcome::Failed);
        EXPECT_EQ(flows[1].error, error);
    }
}

TEST_F(Operating, that_its_guard_rejects_is_refused) {
    auto request = request_for(OperationType::Flush);
    request.maximum_flows = 3;
    const auto operation = run(request);
    EXPECT_EQ(operation.status, OperationStatus::Failed);
    EXPECT_TRUE(operation.refused);
    EXPECT_EQ(operation.detail, "10 flows match, more than --max-flows 3: nothing was flushed");
    EXPECT_NE(audit_lines().back().find("\"result\":\"REFUSED\""), std::string::npos);
}

TEST_F(Operating, takes_flows_of_captures_and_dry_runs_alone) {
    auto request = request_for(OperationType::Flush);
    request.from_operation = "nobody";
    EXPECT_EQ(engine_->start(request).error().kind, ErrorKind::NotFound);
    request.from_operation = run(request_for(OperationType::Flush, "source-port=1")).id;
    EXPECT_NE(engine_->start(request).error().message.find("is a flush itself"), std::string::npos);
    request.from_operation = run(request_for(OperationType::Capture)).id;
    request.endpoint.availability_zone = "b";
    EXPECT_NE(engine_->start(request).error().message.find("was on firewall edge in a"), std::string::npos);
    request.endpoint.availability_zone = "a";
    EXPECT_EQ(run(request).counts.flushed, 9U);
}

TEST_F(Operating, is_not_confused_by_a_clock_that_jumps) {
    const auto first = run(request_for(OperationType::Capture)).id;
    table_.at_scan = [this] { clock_.jump(-24h * 365); };
    const auto second = run(request_for(OperationType::Capture));
    EXPECT_EQ(second.status, OperationStatus::Completed);
    EXPECT_EQ(second.duration, 0ms) << "measured by another clock";
    const auto listed = engine_->list({}).value();
    ASSERT_EQ(listed.size(), 2U);
    EXPECT_EQ(listed.front().id, second.id) << "the newest first, whatever the clock said";
    EXPECT_EQ(listed.back().id, first);
}

TEST_F(Operating, reports_how_it_began_to_search_and_the_result) {
    table_.plans = {"one dump", "the table was resized: once more"};
    for (const auto type : {OperationType::Capture, OperationType::Flush})
        EXPECT_EQ(run(request_for(type)).plan, "one dump; the table was resized: once more");
}

TEST_F(Operating, counts_closed_flows_beside_the_active_ones_that_it_captures) {
    table_.flows[0].protocol_state = 8;
    table_.flows[1].protocol_state = 7;
    auto request = request_for(OperationType::Capture, "source-port=1:5");
    request.query.states = StateScope::Active;
    EXPECT_EQ(run(request).counts.matched, 3U);
    EXPECT_EQ(run(request).counts.closed, 2U);
    request.query.states = StateScope::Any;
    EXPECT_EQ(run(request).counts.matched, 5U);
    EXPECT_EQ(run(request).counts.closed, 0U);
}

TEST_F(Operating, does_not_take_new_flows_for_old_ones_when_the_clock_is_set) {
    for (auto& flow : table_.flows)
        flow.started = clock_.now() - 5min;
    auto request = request_for(OperationType::Flush);
    request.query.minimum_age = 1h;
    EXPECT_EQ(run(request).counts.matched, 0U);
    for (const auto jump : {days{1000}, days{-2000}}) {  // flows started before the boot, then in the future
        clock_.jump(jump);
        const auto operation = run(request);
        EXPECT_EQ(operation.counts.age_unknown, 10U);
        EXPECT_EQ(operation.counts.flushed, 0U);
    }
    clock_.jump(days{1000});
    clock_.pass(55min);
    EXPECT_EQ(run(request).counts.flushed, 10U);
}

TEST_F(Operating, knows_by_a_clock_that_cannot_be_set_for_how_long_there_have_been_time_stamps) {
    const auto since = clock_.up();
    Engine engine{store_,
                  clock_,
                  audit_,
                  [&](const Endpoint&) {
                      auto access = access_to(table_, ruleset_);
                      access.timestamps_since = since;
                      return access;
                  },
                  {.state_dir = folder_.path("")}};
    auto request = request_for(OperationType::Capture);
    request.query.minimum_age = 1h;
    const auto run_here = [&] { return engine.wait(engine.start(request).value().id, 1min).value(); };
    clock_.jump(48h);
    EXPECT_EQ(run_here().counts.age_unknown, 10U);
    clock_.jump(-96h);
    clock_.pass(1h);
    EXPECT_EQ(run_here().counts.matched, 10U);
}

TEST_F(Operating, is_drained_before_the_engine_ends_and_nothing_begins_any_more) {
    Gate gate{table_};
    const auto started = engine_->start(request_for(OperationType::Capture));
    gate.wait_for_operation();
    std::thread draining{[this] { engine_->drain(); }};
    gate.open();
    draining.join();
    EXPECT_EQ(store_.find(started->id).value()->status, OperationStatus::Completed);
    const auto late = engine_->start(request_for(OperationType::Capture));
    ASSERT_FALSE(late.has_value());
    EXPECT_EQ(late.error().kind, ErrorKind::Unavailable);
}

}  // namespace engine_test
}  // namespace headgate::testing
