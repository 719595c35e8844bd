// SPDX-License-Identifier: GPL-2.0-or-later
// Each flushed flow has exactly one record in the flow log, even if the process is killed.
#include "flowlog/flush_records.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "support/line_blocks.h"
#include "support/manual_clock.h"
#include "support/memory_store.h"
#include "support/stored_operations.h"
#include "support/temporary_folder.h"

namespace headgate::flowlog {
namespace flush_records_test {

using namespace headgate::testing;
using namespace std::chrono_literals;

class FlushRecordsTest : public ::testing::Test {
  protected:
    FlushRecordsTest() {
        operation_ = operation_named("0a1b");
        operation_.type = OperationType::Flush;
        settings_.sinks.emplace_back().file = file_;
        make_log();
    }

    void make_log() {
        records_.reset();
        log_ =
            std::make_unique<flowlog::FlowLog>(settings_, flowlog::StandardOutput::ForOthers, [](std::string_view) {});
        records_ = std::make_unique<FlushRecords>(*log_, clock_, state_dir_);
    }

    /// Flows flushed one second after the operation was requested.
    [[nodiscard]] std::vector<FlowRow> flushed_flows(std::uint32_t first, std::uint32_t count) const {
        std::vector<FlowRow> endings;
        for (const auto& each : numbered_flows(first, count)) {
            endings.push_back({each.flow, Outcome::Flushed, 0});
            endings.back().flow.stopped = operation_.requested_at + 1s;
        }
        return endings;
    }

    /// Stores the operation as the journal has it after a kill: flows 0 to 9 are flushed.
    void store_operation(OperationStatus status) {
        ASSERT_TRUE(store_.begin(operation_, ""));
        const auto endings = flushed_flows(0, 10);
        const auto block = store_.append_pending(operation_.id, rows_of(numbered_flows(0, 10)));
        ASSERT_TRUE(block && store_.record_outcomes(operation_.id, *block, endings));
        operation_.status = status;
        ASSERT_TRUE(store_.update(operation_));
    }
    void leave_mark() const { std::ofstream{state_dir_ / ("unwritten-records." + operation_.id)}.flush(); }
    [[nodiscard]] std::uint64_t make_up() {
        const auto made_up = records_->make_up(store_, settings_);
        EXPECT_TRUE(made_up) << (made_up ? "" : made_up.error().message);
        log_->finish(5s);
        return made_up.value_or(0);
    }
    [[nodiscard]] std::vector<std::string> lines() const { return lines_of_file(file_); }

    /// Expects exactly one record for each of this many flows.
    void expect_one_record_each(std::size_t flows) const {
        auto all = lines();
        std::ranges::sort(all);
        EXPECT_EQ(all.size(), flows);
        EXPECT_EQ(std::ranges::adjacent_find(all), all.end());
        for (const auto& line : all)
            EXPECT_NE(line.find(R"("operation_id":"0a1b")"), std::string::npos) << line;
    }

    TemporaryFolder folder_;
    std::filesystem::path state_dir_ = folder_.path("");
    std::string file_ = folder_.path("flow.json");
    ManualClock clock_;
    MemoryStore store_;
    FlowOperation operation_;
    config::FlowLog settings_;
    std::unique_ptr<flowlog::FlowLog> log_;
    std::unique_ptr<FlushRecords> records_;
};

TEST_F(FlushRecordsTest, the_mark_of_a_flush_stays_until_its_records_are_written) {
    std::filesystem::create_directory(file_);  // so that the log file cannot be opened
    ASSERT_TRUE(records_->begins(operation_));
    records_->flushed(operation_, flushed_flows(0, 3));
    records_->ended(operation_);
    while (log_->counts().sinks.empty() || log_->counts().sinks.front().second.fault.empty())
        std::this_thread::sleep_for(1ms);
    EXPECT_EQ(UnwrittenMark::all(state_dir_).size(), 1U) << "they wait for the sink";
    std::filesystem::remove(file_);
    log_->finish(5s);
    expect_one_record_each(3);
    EXPECT_TRUE(UnwrittenMark::all(state_dir_).empty());
}

TEST_F(FlushRecordsTest, the_mark_of_a_flush_stays_while_it_goes_on) {
    ASSERT_TRUE(records_->begins(operation_));
    records_->flushed(operation_, flushed_flows(0, 3));
    log_->finish(5s);
    EXPECT_EQ(UnwrittenMark::all(state_dir_).size(), 1U);
    records_->ended(operation_);
    EXPECT_TRUE(UnwrittenMark::all(state_dir_).empty());
}

TEST_F(FlushRecordsTest, the_mark_of_a_flush_stays_when_its_records_are_given_up_at_the_end) {
    std::filesystem::create_directory(file_);  // so that the log file cannot be opened
    ASSERT_TRUE(records_->begins(operation_));
    records_->flushed(operation_, flushed_flows(0, 3));
    records_->ended(operation_);
    log_->finish(20ms);
    EXPECT_EQ(UnwrittenMark::all(state_dir_).size(), 1U);
}

TEST_F(FlushRecordsTest, a_flush_that_cannot_be_marked_may_not_begin) {
    std::filesystem::create_directory(state_dir_ / ("unwritten-records." + operation_.id));  // blocks the mark file
    const auto begun = records_->begins(operation_);
    ASSERT_FALSE(begun);
    EXPECT_NE(begun.error().message.find("marking the flush for the flow log"), std::string::npos);
}

class AfterAKill : public FlushRecordsTest, public ::testing::WithParamInterface<config::FlowLogFormat> {
  protected:
    AfterAKill() {
        settings_.format = GetParam();
        make_log();
        leave_mark();
    }
    /// Writes the records of flows 0 to 3.
    void write_some() {
        records_->flushed(operation_, flushed_flows(0, 4));
        log_->finish(5s);
    }
    [[nodiscard]] static std::size_t lines_each() { return GetParam() == config::FlowLogFormat::Aws ? 2 : 1; }
};

TEST_P(AfterAKill, what_was_flushed_and_not_written_is_made_up_for_once) {
    store_operation(OperationStatus::CompletedWithErrors);
    write_some();
    EXPECT_EQ(make_up(), 6U);
    expect_one_record_each(10 * lines_each());
    EXPECT_TRUE(UnwrittenMark::all(state_dir_).empty());
    EXPECT_EQ(make_up(), 0U);
}

TEST_P(AfterAKill, a_record_that_lacks_its_line_end_alone_is_there) {
    store_operation(OperationStatus::CompletedWithErrors);
    write_some();
    std::filesystem::resize_file(file_, std::filesystem::file_size(file_) - 1);
    EXPECT_EQ(make_up(), 6U);
    expect_one_record_each(10 * lines_each());
}

TEST_P(AfterAKill, what_was_written_before_the_log_was_rotated_is_not_written_again) {
    store_operation(OperationStatus::CompletedWithErrors);
    write_some();
    std::filesystem::rename(file_, file_ + ".1");
    make_log();
    EXPECT_EQ(make_up(), 6U);
    expect_one_record_each(6 * lines_each());
}

TEST_P(AfterAKill, what_was_written_before_the_log_was_rotated_twice_is_not_written_again) {
    store_operation(OperationStatus::CompletedWithErrors);
    write_some();
    std::filesystem::rename(file_, file_ + ".2");
    make_log();
    records_->flushed(operation_, flushed_flows(4, 3));
    log_->finish(5s);
    EXPECT_EQ(make_up(), 3U);
    expect_one_record_each(6 * lines_each());
}

TEST_P(AfterAKill, the_record_of_a_flow_that_was_just_being_ended_does_not_stand_for_those_before_it) {
    store_operation(OperationStatus::CompletedWithErrors);
    write_some();
    const std::vector<Flow> missing{flushed_flows(10, 1).front().flow};
    records_->lost_sight_of(operation_, missing);
    log_->finish(5s);
    EXPECT_EQ(make_up(), 6U);
    expect_one_record_each(11 * lines_each());
}

TEST_P(AfterAKill, where_nothing_was_written_everything_is) {
    store_operation(OperationStatus::Completed);
    EXPECT_EQ(make_up(), 10U);
    expect_one_record_each(10 * lines_each());
}

TEST_P(AfterAKill, what_is_still_in_progress_is_left_to_later) {
    store_operation(OperationStatus::InProgress);
    EXPECT_EQ(make_up(), 0U);
    EXPECT_EQ(UnwrittenMark::all(state_dir_).size(), 1U);
    operation_.status = OperationStatus::Failed;
    ASSERT_TRUE(store_.update(operation_));
    EXPECT_EQ(make_up(), 10U);
}

TEST_P(AfterAKill, what_another_process_still_writes_is_left_to_it) {
    store_operation(OperationStatus::Completed);
    const auto held = UnwrittenMark::make(state_dir_, operation_.id);
    EXPECT_EQ(make_up(), 0U);
    EXPECT_EQ(UnwrittenMark::all(state_dir_).size(), 1U);
}

TEST_P(AfterAKill, a_log_that_cannot_be_read_is_not_taken_for_an_empty_one) {
    store_operation(OperationStatus::Completed);
    std::filesystem::create_directory(file_);
    const auto made_up = records_->make_up(store_, settings_);
    ASSERT_FALSE(made_up);
    EXPECT_EQ(UnwrittenMark::all(state_dir_).size(), 1U);
    std::filesystem::remove(file_);
    EXPECT_EQ(make_up(), 10U);
}

TEST_P(AfterAKill, who_writes_no_log_leaves_it_to_others) {
    store_operation(OperationStatus::Completed);
    settings_.sinks.front() = {};
    settings_.sinks.front().standard_output = true;
    make_log();
    EXPECT_EQ(make_up(), 0U);
    EXPECT_EQ(UnwrittenMark::all(state_dir_).size(), 1U);
}

TEST_P(AfterAKill, a_mark_that_cannot_be_taken_over_does_not_stand_before_the_others) {
    store_operation(OperationStatus::Completed);
    std::filesystem::create_directory(state_dir_ / "unwritten-records.0");
    EXPECT_FALSE(records_->make_up(store_, settings_));
    log_->finish(5s);
    expect_one_record_each(10 * lines_each());
}

TEST_P(AfterAKill, the_mark_of_an_operation_that_is_no_longer_kept_goes) {
    EXPECT_EQ(make_up(), 0U);
    EXPECT_TRUE(UnwrittenMark::all(state_dir_).empty());
}

TEST_P(AfterAKill, records_of_others_before_and_after_are_not_taken_for_its_own) {
    store_operation(OperationStatus::Completed);
    auto other = operation_;
    other.id = "0c2d";
    records_->flushed(other, flushed_flows(0, 10));
    log_->finish(5s);
    EXPECT_EQ(make_up(), 10U);
}

INSTANTIATE_TEST_SUITE_P(Formats, AfterAKill,
                         ::testing::Values(config::FlowLogFormat::Eve, config::FlowLogFormat::Aws));

}  // namespace flush_records_test
}  // namespace headgate::flowlog
