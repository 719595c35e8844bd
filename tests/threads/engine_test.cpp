#include "operations/engine.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <functional>
#include <latch>
#include <mutex>
#include <set>
#include <thread>

#include "support/engine_conformance.h"
#include "support/manual_clock.h"
#include "support/memory_flow_table.h"
#include "support/memory_ruleset.h"
#include "support/memory_store.h"
#include "support/temporary_folder.h"

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
using operations::AuditTrail;
using operations::Engine;
using operations::OperationRequest;
using std::chrono::days;

class Operating : public ::testing::Test {
  protected:
    Operating() {
        for (std::uint16_t port = 1; port <= 10; ++port)
            table_.flows.push_back(tcp_flow().from_port(port).established().with_id(port));
        make_engine({});
    }

    void make_engine(operations::EngineSettings settings) {
        settings.state_dir = folder_.path("");
        engine_.reset();
        engine_ = std::make_unique<Engine>(
            store_, clock_, audit_, [this](const Endpoint&) { return access_to(table_, ruleset_); }, settings);
    }

    static OperationRequest request_for(OperationType type, std::string_view filter = "protocol=tcp") {
        OperationRequest request;
        request.type = type;
        request.endpoint = {"edge", "a", ""};
        request.query = query_for(filter);
        request.caller = {"cli", 0, "root", "alice", "192.0.2.7"};
        return request;
    }

    FlowOperation run(const OperationRequest& request) {
        const auto started = engine_->start(request);
        EXPECT_TRUE(started.has_value()) << (started ? "" : started.error().message);
        return started ? engine_->wait(started->id, 1min).value() : FlowOperation{};
    }

    std::vector<std::string> audit_lines() const {
        std::vector<std::string> lines;
        std::ifstream file{folder_.path("audit.log")};
        for (std::string line; std::getline(file, line);)
            lines.push_back(line);
        return lines;
    }

    TemporaryFolder folder_;
    ManualClock clock_;
    MemoryFlowTable table_;
    MemoryRuleset ruleset_;
    std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
    MemoryStore store_{disk_, clock_};
    AuditTrail audit_{folder_.path("audit.log"), clock_};
    std::unique_ptr<Engine> engine_;
};

/// Lets the operation wait in its first phase, until it is let go.
class Gate {
  public:
    explicit Gate(MemoryFlowTable& table) {
        table.at_scan = [this] {
            reached_.count_down();
            open_.wait();
        };
    }
    void wait_for_operation() { reached_.wait(); }
    void open() { open_.count_down(); }

  private:
    std::latch reached_{1};
    std::latch open_{1};
};

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

TEST_F(Operating, one_at_a_time_on_an_endpoint) {
    make_engine({.patience = 0ms});
    Gate gate{table_};
    const auto first = engine_->start(request_for(OperationType::Capture));
    gate.wait_for_operation();
    const auto second = engine_->start(request_for(OperationType::Flush));
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().number, EBUSY);
    EXPECT_NE(second.error().message.find(first->id), std::string::npos);
    EXPECT_EQ(table_.removals_asked, 0U);
    gate.open();
    EXPECT_EQ(engine_->wait(first->id, 1min)->status, OperationStatus::Completed);
    table_.at_scan = nullptr;
    EXPECT_EQ(run(request_for(OperationType::Flush)).counts.flushed, 10U);
}

TEST_F(Operating, that_is_asked_for_again_by_its_token_is_not_done_again) {
    auto request = request_for(OperationType::Flush, "source-port=1:4");
    request.token = "once";
    const auto first = run(request);
    const auto again = engine_->start(request);
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(*again, first);
    EXPECT_EQ(table_.removals_asked, 4U);
}

TEST_F(Operating, by_a_token_of_a_request_that_asked_otherwise_is_refused_though_it_looks_the_same) {
    auto request = request_for(OperationType::Flush, "source-port=1:4");
    request.token = "once";
    request.asked = R"({"type":"FLOW_FLUSH","maximum_flows":10})";
    const auto first = run(request);
    EXPECT_EQ(engine_->start(request)->id, first.id);
    request.asked = R"({"type":"FLOW_FLUSH","maximum_flows":1})";
    const auto refused = engine_->start(request);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::Refused);
    EXPECT_EQ(table_.removals_asked, 4U);
}

TEST_F(Operating, by_a_token_of_a_request_of_the_version_before_is_known_by_what_it_told) {
    auto request = request_for(OperationType::Flush, "source-port=1:4");
    request.token = "once";
    const auto first = run(request);
    request.asked = "{}";
    EXPECT_EQ(engine_->start(request)->id, first.id);
    request.query = query_for("source-port=5");
    EXPECT_FALSE(engine_->start(request).has_value());
}

TEST_F(Operating, by_a_token_of_another_request_is_refused_and_audited) {
    auto request = request_for(OperationType::Capture);
    request.token = "once";
    run(request);
    for (const auto& change : std::vector<std::function<void(OperationRequest&)>>{
             [](auto& other) { other.type = OperationType::Flush; },
             [](auto& other) { other.query = query_for("protocol=udp"); },
             [](auto& other) { other.endpoint.availability_zone = "b"; }, [](auto& other) { other.dry_run = true; }}) {
        auto other = request;
        change(other);
        const auto refused = engine_->start(other);
        ASSERT_FALSE(refused.has_value());
        EXPECT_EQ(refused.error().kind, ErrorKind::Refused);
    }
    EXPECT_TRUE(engine_->start(request).has_value());
    EXPECT_EQ(audit_lines().size(), 6U);
    EXPECT_EQ(table_.removals_asked, 0U);
}

/// A store on which one kind of write fails.
class FailingStore : public MemoryStore {
  public:
    using MemoryStore::MemoryStore;
    Result<void> settle(std::string_view id, std::uint64_t block, std::span<const FlowEnding> endings) override {
        if (settling_fails > 0 && settling_fails-- > 0) return system_error(ENOSPC, "disk");
        return MemoryStore::settle(id, block, endings);
    }
    Result<void> update(const FlowOperation& operation) override {
        const bool ends = operation.status != OperationStatus::InProgress;
        if (ends && ending_fails > 0 && ending_fails-- > 0) return system_error(ENOSPC, "disk");
        return MemoryStore::update(operation);
    }
    /// As SqliteStore does: of rows that do not all fit, some may have been taken.
    Result<void> append(std::string_view id, std::span<const StoredFlow> flows) override {
        const auto fitting = flows.first(std::min(flows.size(), taken_at_most));
        taken_at_most -= fitting.size();
        if (auto taken = MemoryStore::append(id, fitting); !taken) return taken;
        return fitting.size() == flows.size() ? Result<void>{} : system_error(ENOSPC, "disk");
    }

    int settling_fails = 0;  ///< so often
    int ending_fails = 0;
    std::size_t taken_at_most = SIZE_MAX;  ///< rows
};

class OperatingOnAFailingDisk : public Operating {
  protected:
    OperatingOnAFailingDisk() {
        engine_ = std::make_unique<Engine>(
            failing_, clock_, audit_, [this](const Endpoint&) { return access_to(table_, ruleset_); },
            operations::EngineSettings{.state_dir = folder_.path("")});
    }
    /// All ten flows, once each and in their order, though the disk has not taken them.
    void expect_told(const FlowOperation& operation) {
        EXPECT_EQ(operation.status, OperationStatus::Completed) << operation.detail;
        EXPECT_EQ(operation.counts.matched, 10U);
        ASSERT_FALSE(operation.warnings.empty());
        EXPECT_TRUE(operation.warnings.front().starts_with("not kept, so it cannot be looked up later: "))
            << operation.warnings.front();
        EXPECT_EQ(engine_->find(operation.id).value(), operation);
        std::vector<std::uint16_t> ports;
        const auto told = engine_->for_each_flow(operation.id, 0, [&](std::span<const StoredFlow> flows) {
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
    EXPECT_NE(operation.detail.find("its end could not be written"), std::string::npos);
    EXPECT_EQ(store_.find(operation.id).value()->status, OperationStatus::InProgress);
    ASSERT_TRUE(engine_->settle_cut().has_value());
    EXPECT_EQ(store_.find(operation.id).value()->status, OperationStatus::CompletedWithErrors);
    EXPECT_EQ(store_.find(operation.id).value()->counts.gone, 10U);
}

TEST_F(OperatingOnAFailingDisk, a_capture_whose_end_cannot_be_written_is_told_and_not_kept) {
    failing_.ending_fails = 1;
    const auto operation = run(request_for(OperationType::Capture));
    expect_told(operation);
    EXPECT_EQ(store_.find(operation.id).value()->status, OperationStatus::Failed) << "to others";
    EXPECT_EQ(audit_lines().size(), 1U);
}

TEST_F(OperatingOnAFailingDisk, a_capture_that_fills_the_disk_is_told_and_not_kept) {
    failing_.taken_at_most = 4;
    const auto operation = run(request_for(OperationType::Capture));
    expect_told(operation);
    ASSERT_EQ(engine_->list({})->size(), 1U);
    EXPECT_EQ(engine_->list({})->front().status, OperationStatus::Completed);
}

TEST_F(OperatingOnAFailingDisk, a_dry_run_that_fills_the_disk_is_told_and_not_kept) {
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

TEST_F(Operating, on_a_full_disk_looks_and_says_what_is_not_kept) {
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
    EXPECT_EQ(engine_->start(request_for(OperationType::Flush)).error().number, ENOSPC);
    EXPECT_EQ(table_.removals_asked, 0U);
}

/// No thread can be had as long as this lives: none has room for such a stack.
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

TEST_F(Operating, tells_of_operations_removed_before_the_time_in_a_flush_too) {
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
    EXPECT_FALSE(engine_->settle_cut().has_value()) << "who may not ask leaves it to others";
    EXPECT_EQ(store_.find("cut").value()->status, OperationStatus::InProgress);
    error = ENOENT;
    EXPECT_TRUE(engine_->settle_cut().has_value());
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

TEST_F(Operating, by_one_token_from_many_sides_begins_once) {
    auto request = request_for(OperationType::Capture);
    request.token = "once";
    std::vector<std::thread> threads;
    std::mutex mutex;
    std::set<std::string> ids;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] {
            // Busy is what the others may hear while the first one is just beginning.
            const auto started = engine_->start(request);
            const std::lock_guard lock{mutex};
            if (started) ids.insert(started->id);
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(ids.size(), 1U);
    EXPECT_EQ(store_.list({})->size(), 1U);
}

/// Captures that follow each other, or go on: whoever flushes waits for one of them, and comes before the others.
class TakingTurns : public Operating {
  protected:
    /// What happens at each flow that a scan comes by.
    class SteppingTable : public MemoryFlowTable {
      public:
        Result<ScanReport> scan(const FlowQuery& query, const Moment& moment, ScanListener& listener) override {
            Stepping stepping{listener, at_step};
            return MemoryFlowTable::scan(query, moment, stepping);
        }
        std::function<void()> at_step = [] {};

      private:
        class Stepping final : public ScanListener {
          public:
            Stepping(ScanListener& listener, const std::function<void()>& at_step)
                : listener_(listener), at_step_(at_step) {}
            void planned(std::string_view plan) override { listener_.planned(plan); }
            Result<void> matched(std::span<const FlowRow> rows) override { return listener_.matched(rows); }
            Result<void> progressed(std::uint64_t scanned) override {
                at_step_();
                return listener_.progressed(scanned);
            }

          private:
            ScanListener& listener_;
            const std::function<void()>& at_step_;
        };
    };

    TakingTurns() {
        stepping_.flows = table_.flows;
        engine_ = std::make_unique<Engine>(
            store_, clock_, audit_, [this](const Endpoint&) { return access_to(stepping_, ruleset_); },
            operations::EngineSettings{.state_dir = folder_.path("")});
    }

    /// Starts a flush that has to wait, and returns when it does.
    std::thread start_flush(Result<FlowOperation>& started) {
        std::thread waiting{[&] { started = engine_->start(request_for(OperationType::Flush)); }};
        for (std::string why; why.find("a flush is waiting") == std::string::npos;) {
            const auto another = engine_->start(request_for(OperationType::Capture));
            why = another ? "" : another.error().message;
            EXPECT_FALSE(another) << "one runs, or comes first";
        }
        return waiting;
    }

    SteppingTable stepping_;
    Result<FlowOperation> flush_ = FlowOperation{};
};

TEST_F(TakingTurns, a_flush_waits_for_a_capture_and_comes_before_the_next) {
    std::latch gate{1};
    stepping_.at_step = [&] { gate.wait(); };
    const auto capture = engine_->start(request_for(OperationType::Capture));
    auto waiting = start_flush(flush_);
    const auto second = engine_->start(request_for(OperationType::Flush));
    EXPECT_EQ(second.error().number, EBUSY) << "one is next, and no more";
    gate.count_down();
    waiting.join();
    ASSERT_TRUE(flush_) << flush_.error().message;
    EXPECT_EQ(engine_->wait(capture->id, 1min)->status, OperationStatus::Completed);
    EXPECT_EQ(engine_->wait(flush_->id, 1min)->counts.flushed, 10U);
    EXPECT_EQ(run(request_for(OperationType::Capture)).status, OperationStatus::Completed) << "nobody waits any more";
}

TEST_F(TakingTurns, a_capture_that_goes_on_gives_way) {
    std::latch gate{1};
    stepping_.at_step = [&] {
        gate.wait();
        clock_.pass(1100ms);
    };
    const auto capture = engine_->start(request_for(OperationType::Capture));
    auto waiting = start_flush(flush_);
    gate.count_down();
    waiting.join();
    ASSERT_TRUE(flush_) << flush_.error().message;
    const auto given_way = engine_->wait(capture->id, 1min);
    EXPECT_EQ(given_way->status, OperationStatus::Failed);
    EXPECT_NE(given_way->detail.find("gave way to a flush"), std::string::npos) << given_way->detail;
    EXPECT_EQ(engine_->wait(flush_->id, 1min)->counts.flushed, 10U);
}

TEST_F(TakingTurns, a_flush_that_runs_is_not_waited_for) {
    std::latch gate{1};
    stepping_.at_step = [&] { gate.wait(); };
    const auto first = engine_->start(request_for(OperationType::Flush));
    const auto second = engine_->start(request_for(OperationType::Flush));
    EXPECT_EQ(second.error().number, EBUSY);
    EXPECT_NE(second.error().message.find(first->id), std::string::npos) << second.error().message;
    gate.count_down();
    EXPECT_EQ(engine_->wait(first->id, 1min)->status, OperationStatus::Completed);
}

TEST_F(TakingTurns, a_drain_ends_the_wait) {
    std::latch gate{1};
    stepping_.at_step = [&] { gate.wait(); };
    static_cast<void>(engine_->start(request_for(OperationType::Capture)));
    auto waiting = start_flush(flush_);
    std::thread draining{[&] { engine_->drain(); }};
    waiting.join();
    EXPECT_EQ(flush_.error().kind, ErrorKind::Refused);
    gate.count_down();
    draining.join();
}

TEST_F(TakingTurns, one_caller_has_no_more_than_some_captures_at_once) {
    std::latch gate{1};
    stepping_.at_step = [&] { gate.wait(); };
    auto request = request_for(OperationType::Capture);
    const auto start_in = [&](int zone) {
        request.endpoint.availability_zone = fmt::format("zone-{}", zone);
        return engine_->start(request);
    };
    std::vector<std::string> ids;
    for (int zone = 0; zone < Engine::kMostOfOneCaller; ++zone)
        ids.push_back(start_in(zone).value().id);
    EXPECT_EQ(start_in(100).error().number, EBUSY);
    request.caller.user = "somebody else";
    ids.push_back(start_in(100).value().id);
    gate.count_down();
    for (const auto& id : ids)
        EXPECT_EQ(engine_->wait(id, 1min)->status, OperationStatus::Completed);
}

TEST_F(Operating, the_key_of_one_caller_gives_nothing_to_another) {
    auto request = request_for(OperationType::Capture);
    request.token = "rest:certificate:ops:x:k";
    const auto first = run(request);
    EXPECT_EQ(engine_->start(request)->id, first.id);
    request.caller.user = "ops:x";
    EXPECT_EQ(engine_->start(request).error().kind, ErrorKind::Refused);
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

TEST_F(Operating, whose_guard_says_no_is_refused) {
    auto request = request_for(OperationType::Flush);
    request.flush.maximum_flows = 3;
    const auto operation = run(request);
    EXPECT_EQ(operation.status, OperationStatus::Failed);
    EXPECT_TRUE(operation.refused);
    EXPECT_EQ(operation.detail, "10 flows match, more than --max-flows 3: nothing was flushed");
    EXPECT_NE(audit_lines().back().find("\"result\":\"REFUSED\""), std::string::npos);
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

TEST_F(Operating, takes_flows_of_captures_and_dry_runs_alone) {
    auto request = request_for(OperationType::Flush);
    request.from_operation = "nobody";
    EXPECT_EQ(engine_->start(request).error().number, ENOENT);
    request.from_operation = run(request_for(OperationType::Flush, "source-port=1")).id;
    EXPECT_NE(engine_->start(request).error().message.find("is a flush itself"), std::string::npos);
    request.from_operation = run(request_for(OperationType::Capture)).id;
    request.endpoint.availability_zone = "b";
    EXPECT_NE(engine_->start(request).error().message.find("was on firewall edge in a"), std::string::npos);
    request.endpoint.availability_zone = "a";
    EXPECT_EQ(run(request).counts.flushed, 9U);
}

TEST_F(Operating, ends_after_its_retention) {
    make_engine({.retention = 12h});
    const auto old = run(request_for(OperationType::Capture)).id;
    clock_.pass(11h);
    const auto younger = run(request_for(OperationType::Capture)).id;
    clock_.pass(2h);
    ASSERT_TRUE(engine_->tidy().has_value());
    EXPECT_EQ(engine_->find(old).error().number, ENOENT);
    EXPECT_TRUE(engine_->find(younger).has_value());
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

TEST_F(Operating, beyond_the_disk_budget_the_oldest_end_and_it_is_told) {
    make_engine({.disk_budget = 2500});
    const auto oldest = run(request_for(OperationType::Capture)).id;
    static_cast<void>(run(request_for(OperationType::Capture)));
    static_cast<void>(run(request_for(OperationType::Capture)));
    const auto last = run(request_for(OperationType::Capture));
    ASSERT_FALSE(last.warnings.empty());
    EXPECT_NE(last.warnings.front().find("to keep to disk_budget"), std::string::npos);
    EXPECT_FALSE(engine_->find(oldest).has_value());
}

TEST_F(Operating, tells_how_it_began_to_search_and_what_came_of_that) {
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
    for (const auto jump : {days{1000}, days{-2000}}) {  // from before the boot, and from the future
        clock_.jump(jump);
        const auto operation = run(request);
        EXPECT_EQ(operation.counts.age_unknown, 10U);
        EXPECT_EQ(operation.counts.flushed, 0U);
    }
    clock_.jump(days{1000});
    clock_.pass(55min);
    EXPECT_EQ(run(request).counts.flushed, 10U);
}

TEST_F(Operating, knows_by_a_clock_that_nobody_sets_for_how_long_there_have_been_time_stamps) {
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

TEST_F(Operating, leaves_one_line_of_audit_for_every_request) {
    const auto done = run(request_for(OperationType::Flush, "source-port=1:4"));
    auto other = done;
    other.id = "other";
    const auto lock = operations::EndpointLock::take(folder_.path(""), other);
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
    EXPECT_EQ(late.error().kind, ErrorKind::Refused);
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
    ASSERT_TRUE(engine_->settle_cut().has_value());
    EXPECT_EQ(store_.find("cut").value()->status, OperationStatus::CompletedWithErrors);
    EXPECT_EQ(ruleset_.status()->remembered_flows, 1U);
    EXPECT_EQ(audit_lines().size(), 1U) << "it, too, is told";
}

TEST_F(Operating, that_somebody_runs_is_not_settled) {
    Gate gate{table_};
    const auto started = engine_->start(request_for(OperationType::Capture));
    gate.wait_for_operation();
    EXPECT_TRUE(engine_->settle_cut().has_value());
    EXPECT_EQ(store_.find(started->id).value()->status, OperationStatus::InProgress);
    gate.open();
    EXPECT_EQ(engine_->wait(started->id, 1min)->status, OperationStatus::Completed);
}

}  // namespace engine_test
}  // namespace headgate::testing
