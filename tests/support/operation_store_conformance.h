// SPDX-License-Identifier: GPL-2.0-or-later
// Requirements on every OperationStore. Instantiated with the in-memory store and SQLite's, so that the two behave
// alike.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "headgate/operation_store.h"

#include "support/manual_clock.h"
#include "support/stored_operations.h"

namespace headgate::testing {

/// `Environment` has `std::unique_ptr<OperationStore> open()`, which opens the existing data, also twice at once, and
/// `ManualClock& clock()`, which the stores use.
template <typename Environment>
class OperationStoreConformance : public ::testing::Test {
  protected:
    void SetUp() override { store_ = environment_.open(); }

    OperationStore& store() { return *store_; }

    /// Simulates a crash: the store is not closed in order, so only what it guarantees to keep remains.
    void reopen() {
        store_.reset();
        store_ = environment_.open();
    }

    void begin(const FlowOperation& operation, std::string_view token = {}) {
        const auto begun = store().begin(operation, token);
        ASSERT_TRUE(begun.has_value()) << begun.error().message;
    }
    void append(std::string_view id, const std::vector<FlowRow>& flows) {
        const auto appended = store().append(id, flows);
        ASSERT_TRUE(appended.has_value()) << appended.error().message;
    }
    std::uint64_t append_pending(std::string_view id, const std::vector<FlowRow>& rows) {
        const auto block = store().append_pending(id, rows);
        EXPECT_TRUE(block.has_value()) << block.error().message;
        return block.value_or(0);
    }
    void end(FlowOperation operation, OperationStatus status = OperationStatus::Completed) {
        operation.status = status;
        const auto updated = store().update(operation);
        ASSERT_TRUE(updated.has_value()) << updated.error().message;
    }
    std::vector<FlowRow> flows(std::string_view id, std::uint64_t first = 0, std::size_t count = SIZE_MAX) {
        auto page = store().flows(id, first, count);
        EXPECT_TRUE(page.has_value()) << page.error().message;
        return page.value_or(std::vector<FlowRow>{});
    }
    std::vector<std::string> listed(const OperationSelection& selection = {}) {
        std::vector<std::string> ids;
        const auto operations = store().list(selection);
        EXPECT_TRUE(operations.has_value()) << operations.error().message;
        for (const auto& each : operations.value_or(std::vector<FlowOperation>{}))
            ids.push_back(each.id);
        return ids;
    }
    std::vector<std::uint64_t> pending(std::string_view id) {
        std::vector<std::uint64_t> blocks;
        const auto told = store().for_each_pending(id, [&](std::uint64_t block, std::span<const FlowRow>) {
            blocks.push_back(block);
            return Result<void>{};
        });
        EXPECT_TRUE(told.has_value()) << told.error().message;
        return blocks;
    }

    Environment environment_;
    std::unique_ptr<OperationStore> store_;
};

TYPED_TEST_SUITE_P(OperationStoreConformance);

TYPED_TEST_P(OperationStoreConformance, an_operation_is_read_as_it_was_stored) {
    for (const auto& operation : operations_of_every_kind()) {
        this->begin(operation);
        this->reopen();
        const auto found = this->store().find(operation.id);
        ASSERT_TRUE(found.has_value()) << found.error().message;
        EXPECT_EQ(*found, operation);
    }
    EXPECT_EQ(this->store().find("nobody").value(), std::nullopt);
}

TYPED_TEST_P(OperationStoreConformance, what_became_of_it_takes_the_place_of_what_was_known) {
    auto operation = operation_named("one");
    this->begin(operation);
    operation.counts.matched = 7;
    ASSERT_TRUE(this->store().update(operation).has_value());
    EXPECT_EQ(this->store().find("one").value(), operation);
    operation.status = OperationStatus::Failed;
    operation.status_message = "Flow timeout";
    operation.warnings = {"one", "two"};
    ASSERT_TRUE(this->store().update(operation).has_value());
    this->reopen();
    EXPECT_EQ(this->store().find("one").value(), operation);
    EXPECT_EQ(this->store().update(operation_named("nobody")).error().kind, ErrorKind::Missing);
}

TYPED_TEST_P(OperationStoreConformance, is_found_by_the_token_of_its_request) {
    this->begin(operation_named("one"), "token-1");
    this->begin(operation_named("two"));
    this->begin(operation_named("three"));
    this->reopen();
    EXPECT_EQ(this->store().find_by_token("token-1").value(), operation_named("one"));
    EXPECT_EQ(this->store().find_by_token("token-2").value(), std::nullopt);
    EXPECT_EQ(this->store().find_by_token("").value(), std::nullopt);
}

TYPED_TEST_P(OperationStoreConformance, an_id_or_a_token_is_used_once) {
    this->begin(operation_named("one"), "token");
    for (const auto& [id, token] : {std::pair{"two", "token"}, {"one", ""}, {"one", "other"}}) {
        const auto again = this->store().begin(operation_named(id), token);
        ASSERT_FALSE(again.has_value());
        EXPECT_EQ(again.error().kind, ErrorKind::Exists);
    }
    EXPECT_EQ(this->listed(), (std::vector<std::string>{"one"}));
}

TYPED_TEST_P(OperationStoreConformance, lists_the_newest_first_whatever_the_clock_said) {
    for (const auto* id : {"one", "two", "three", "four"}) {
        auto operation = operation_named(id);
        operation.requested_at -= std::chrono::hours{std::string_view{id}.size()};
        this->begin(operation);
    }
    EXPECT_EQ(this->listed(), (std::vector<std::string>{"four", "three", "two", "one"}));
    EXPECT_EQ(this->listed({.at_most = 2}), (std::vector<std::string>{"four", "three"}));
    EXPECT_EQ(this->listed({.at_most = 2, .before_id = "three"}), (std::vector<std::string>{"two", "one"}));
    EXPECT_EQ(this->listed({.before_id = "one"}), std::vector<std::string>{});
    EXPECT_EQ(this->listed({.before_id = "gone"}), std::vector<std::string>{});
}

TYPED_TEST_P(OperationStoreConformance, lists_what_was_selected) {
    auto other = operation_named("other");
    other.type = OperationType::Flush;
    other.endpoint = {"edge", "zone-b", ""};
    this->begin(operation_named("one"));
    this->begin(other);
    this->begin(operation_named("three"));
    this->end(operation_named("three"));
    using Ids = std::vector<std::string>;
    EXPECT_EQ(this->listed({.type = OperationType::Flush}), (Ids{"other"}));
    EXPECT_EQ(this->listed({.type = OperationType::Capture}), (Ids{"three", "one"}));
    EXPECT_EQ(this->listed({.status = OperationStatus::Completed}), (Ids{"three"}));
    EXPECT_EQ(this->listed({.firewalls = {{"edge"}}}), (Ids{"other"}));
    EXPECT_EQ(this->listed({.availability_zone = "zone-a"}), (Ids{"three", "one"}));
    EXPECT_EQ(this->listed({.type = OperationType::Capture, .availability_zone = "zone-b"}), Ids{});
    EXPECT_EQ(this->listed({.id_begin = "o"}), (Ids{"other", "one"}));
    EXPECT_EQ(this->listed({.type = OperationType::Flush, .id_begin = "oth"}), (Ids{"other"}));
    EXPECT_EQ(this->listed({.firewalls = {{"edge", "nobody"}}, .id_begin = "o"}), (Ids{"other"}));
    EXPECT_EQ(this->listed({.id_begin = "ones"}), Ids{});
    EXPECT_EQ(this->listed({.type = OperationType::Capture, .at_most = 1, .before_id = "three"}), (Ids{"one"}));
}

TYPED_TEST_P(OperationStoreConformance, lists_those_of_a_user_and_since_a_time) {
    const auto by = [&](std::string id, Caller caller, std::chrono::seconds later) {
        auto operation = operation_named(std::move(id));
        operation.caller = std::move(caller);
        operation.requested_at += later;
        this->begin(operation);
    };
    using std::chrono::seconds;
    by("sudo", {"cli", 0U, "root", "alice", ""}, seconds{0});
    by("own", {"unix", 1000U, "alice", "", ""}, seconds{20});
    by("back", {"unix", 1000U, "alice", "", ""}, seconds{10});
    by("unnamed", {"unix", 4'294'967'295U, "", "", ""}, seconds{30});
    by("bytes", {"unix", 7U, "m\xc3\xbcller \xff", "", ""}, seconds{40});
    by("unknown", {}, seconds{50});
    using Ids = std::vector<std::string>;
    EXPECT_EQ(this->listed({.user = "alice"}), (Ids{"back", "own", "sudo"}));
    EXPECT_EQ(this->listed({.user = "alice", .at_most = 1, .before_id = "back"}), (Ids{"own"}));
    EXPECT_EQ(this->listed({.user = "root"}), Ids{}) << "sudo's user stands for root";
    EXPECT_EQ(this->listed({.user = "uid 4294967295"}), (Ids{"unnamed"}));
    EXPECT_EQ(this->listed({.user = "m\xc3\xbcller \xff"}), (Ids{"bytes"}));
    EXPECT_EQ(this->listed({.user = ""}), (Ids{"unknown"}));
    const auto begin = operation_named("").requested_at;
    EXPECT_EQ(this->listed({.user = "alice", .since = begin + seconds{15}}), (Ids{"own"})) << "a clock was put back";
    EXPECT_EQ(this->listed({.since = begin + seconds{40}}), (Ids{"unknown", "bytes"}));
    EXPECT_EQ(this->listed({.since = begin + seconds{51}}), Ids{});
}

TYPED_TEST_P(OperationStoreConformance, lists_those_of_some_firewalls_page_by_page) {
    const auto of = [](std::string id, std::string firewall, std::string network_namespace) {
        auto operation = operation_named(std::move(id));
        operation.endpoint = {std::move(firewall), "zone-a", std::move(network_namespace)};
        return operation;
    };
    for (const auto& each : {of("a1", "a", ""), of("b1", "b", ""), of("c1", "c", ""), of("a2", "a", ""),
                             of("a3", "a", "gw"), of("b2", "b", ""), of("c2", "c", "")})
        this->begin(each);
    this->end(of("a2", "a", ""));
    using Ids = std::vector<std::string>;
    EXPECT_EQ(this->listed({.firewalls = {{"b", "a", "b", "nobody"}}}), (Ids{"b2", "a3", "a2", "b1", "a1"}));
    EXPECT_EQ(this->listed({.firewalls = {{"a", "b"}}, .at_most = 2}), (Ids{"b2", "a3"}));
    EXPECT_EQ(this->listed({.firewalls = {{"a", "b"}}, .at_most = 2, .before_id = "a3"}), (Ids{"a2", "b1"}));
    EXPECT_EQ(this->listed({.firewalls = {{"a", "b"}}, .at_most = 2, .before_id = "c1"}), (Ids{"b1", "a1"}));
    EXPECT_EQ(this->listed({.status = OperationStatus::Completed, .firewalls = {{"a", "c"}}}), (Ids{"a2"}));
    EXPECT_EQ(this->listed({.firewalls = {{"a"}}, .one_off_runs = false}), (Ids{"a2", "a1"}));
    EXPECT_EQ(this->listed({.one_off_runs = false}), (Ids{"c2", "b2", "a2", "c1", "b1", "a1"}));
    EXPECT_EQ(this->listed({.firewalls = std::vector<std::string>{}}), Ids{});
    std::vector<std::string> many{"a"};
    for (int i = 0; i < 1000; ++i)
        many.push_back(fmt::format("firewall-{}", i));
    EXPECT_EQ(this->listed({.firewalls = many}), (Ids{"a3", "a2", "a1"}));
}

TYPED_TEST_P(OperationStoreConformance, flows_are_read_as_they_were_stored) {
    this->begin(operation_named("one"));
    this->append("one", flows_of_every_kind());
    EXPECT_EQ(this->flows("one"), flows_of_every_kind());
    this->end(operation_named("one"));
    this->reopen();
    EXPECT_EQ(this->flows("one"), flows_of_every_kind());
}

TYPED_TEST_P(OperationStoreConformance, pages_begin_and_end_anywhere) {
    this->begin(operation_named("other"));
    this->append("other", numbered_flows(0, 100));
    this->begin(operation_named("one"));
    constexpr std::uint32_t kRows = 10'000;  // more than two blocks of a store that groups rows
    for (std::uint32_t row = 0; row < kRows; row += 250)
        this->append("one", numbered_flows(row, 250));
    this->end(operation_named("one"));
    for (const std::uint32_t border : {0U, 100U, 250U, 4096U, 8192U, kRows}) {
        for (std::uint32_t first = border > 2 ? border - 2 : 0; first <= border + 1; ++first) {
            const std::uint32_t expected = std::min(100U, kRows - std::min(first, kRows));
            EXPECT_EQ(this->flows("one", first, 100), numbered_flows(first, expected)) << first;
        }
    }
    EXPECT_EQ(this->flows("one", 4000, 5000), numbered_flows(4000, 5000));
    EXPECT_TRUE(this->flows("one", 17, 0).empty());
    EXPECT_TRUE(this->flows("one", UINT64_MAX, 1).empty());
}

TYPED_TEST_P(OperationStoreConformance, all_flows_are_read_in_their_order) {
    this->begin(operation_named("one"));
    for (std::uint32_t row = 0; row < 5000; row += 500)
        this->append("one", numbered_flows(row, 500));
    std::vector<FlowRow> told;
    ASSERT_TRUE(this->store()
                    .for_each_flow("one", 0,
                                   [&](std::span<const FlowRow> some) {
                                       told.insert(told.end(), some.begin(), some.end());
                                       return Result<void>{};
                                   })
                    .has_value());
    EXPECT_EQ(told, numbered_flows(0, 5000));
    told.clear();
    ASSERT_TRUE(this->store()
                    .for_each_flow("one", 4321,
                                   [&](std::span<const FlowRow> some) {
                                       told.insert(told.end(), some.begin(), some.end());
                                       return Result<void>{};
                                   })
                    .has_value());
    EXPECT_EQ(told, numbered_flows(4321, 679)) << "from one in the middle on";
    const auto stopped = this->store().for_each_flow("one", 0, [](auto) -> Result<void> { return refused("enough"); });
    ASSERT_FALSE(stopped.has_value());
    EXPECT_EQ(stopped.error().message, "enough");
}

TYPED_TEST_P(OperationStoreConformance, flows_of_an_operation_that_is_not_there_are_an_error) {
    const auto flow = numbered_flows(0, 1);
    const auto nothing = [](auto&&...) { return Result<void>{}; };
    EXPECT_EQ(this->store().append("nobody", flow).error().kind, ErrorKind::Missing);
    EXPECT_EQ(this->store().append_pending("nobody", rows_of(flow)).error().kind, ErrorKind::Missing);
    EXPECT_EQ(this->store().flows("nobody", 0, 1).error().kind, ErrorKind::Missing);
    EXPECT_EQ(this->store().for_each_flow("nobody", 0, nothing).error().kind, ErrorKind::Missing);
    EXPECT_EQ(this->store().for_each_pending("nobody", nothing).error().kind, ErrorKind::Missing);
    EXPECT_EQ(this->store().record_outcomes("nobody", 1, endings_of(flow)).error().kind, ErrorKind::Missing);
}

TYPED_TEST_P(OperationStoreConformance, pending_flows_are_there_after_a_crash) {
    this->begin(operation_named("one"));
    this->append("one", numbered_flows(0, 10));
    const auto first = this->append_pending("one", rows_of(numbered_flows(10, 20)));
    const auto second = this->append_pending("one", rows_of(flows_of_every_kind()));
    this->reopen();
    EXPECT_EQ(this->pending("one"), (std::vector{first, second}));
    std::vector<Flow> flows;
    ASSERT_TRUE(this->store()
                    .for_each_pending("one",
                                      [&](std::uint64_t, std::span<const FlowRow> rows) {
                                          for (const auto& row : rows)
                                              flows.push_back(row.flow);
                                          return Result<void>{};
                                      })
                    .has_value());
    ASSERT_EQ(flows.size(), 20 + flows_of_every_kind().size());
    EXPECT_EQ(flows[3], numbered_flows(13, 1).front().flow);
    EXPECT_EQ(flows[20], flows_of_every_kind().front().flow);
    EXPECT_EQ(this->flows("one", 0, 30), numbered_flows(0, 30));
}

TYPED_TEST_P(OperationStoreConformance, checks_whether_many_flows_would_fit) {
    EXPECT_TRUE(this->store().ensure_room(0).has_value());
    EXPECT_TRUE(this->store().ensure_room(1000).has_value());
    const auto too_many = this->store().ensure_room(std::uint64_t{1} << 56U);
    ASSERT_FALSE(too_many.has_value());
    EXPECT_EQ(too_many.error().kind, ErrorKind::DiskFault);
}

TYPED_TEST_P(OperationStoreConformance, recovered_flows_are_read_as_they_ended) {
    this->begin(operation_named("one"));
    const auto rows = rows_of(flows_of_every_kind());
    const auto block = this->append_pending("one", rows);
    const auto left = this->append_pending("one", rows);
    auto endings = endings_of(flows_of_every_kind());
    ASSERT_TRUE(this->store().record_outcomes("one", block, endings).has_value());
    this->reopen();
    EXPECT_EQ(this->pending("one"), (std::vector{left}));
    const auto told = this->flows("one");
    ASSERT_EQ(told.size(), 2 * endings.size());
    for (std::size_t i = 0; i < endings.size(); ++i) {
        EXPECT_EQ(told[i], endings[i]);
        EXPECT_EQ(told[endings.size() + i], (FlowRow{rows[i].flow, std::nullopt, 0}));
    }
}

TYPED_TEST_P(OperationStoreConformance, flows_keep_their_verdicts_until_they_have_ended) {
    this->begin(operation_named("one"));
    this->append("one", judged_flows());
    const auto block = this->append_pending("one", judged_flows());
    this->end(operation_named("one"));
    this->reopen();
    auto expected = judged_flows();
    const auto pending = judged_flows();
    expected.insert(expected.end(), pending.begin(), pending.end());
    EXPECT_EQ(this->flows("one"), expected);

    const auto endings = endings_of(judged_flows());
    ASSERT_TRUE(this->store().record_outcomes("one", block, endings).has_value());
    const auto ended = this->flows("one", pending.size());
    ASSERT_EQ(ended.size(), pending.size());
    for (std::size_t i = 0; i < ended.size(); ++i) {
        EXPECT_EQ(ended[i].verdict, pending[i].verdict);
        EXPECT_EQ(ended[i].outcome, endings[i].outcome);
    }
}

TYPED_TEST_P(OperationStoreConformance, a_block_is_settled_once_and_as_a_whole) {
    this->begin(operation_named("one"));
    this->begin(operation_named("other"));
    const auto flows = numbered_flows(0, 3);
    const auto block = this->append_pending("one", rows_of(flows));
    EXPECT_FALSE(this->store().record_outcomes("one", block, endings_of(numbered_flows(0, 2))).has_value());
    EXPECT_FALSE(this->store().record_outcomes("one", block + 1, endings_of(flows)).has_value());
    EXPECT_FALSE(this->store().record_outcomes("other", block, endings_of(flows)).has_value());
    EXPECT_TRUE(this->store().record_outcomes("one", block, endings_of(flows)).has_value());
    EXPECT_FALSE(this->store().record_outcomes("one", block, endings_of(flows)).has_value());
}

TYPED_TEST_P(OperationStoreConformance, pending_flows_can_be_recovered_while_they_are_read) {
    this->begin(operation_named("one"));
    for (std::uint32_t i = 0; i < 5; ++i)
        this->append_pending("one", rows_of(numbered_flows(10 * i, 10)));
    std::uint32_t told = 0;
    const auto settled = this->store().for_each_pending("one", [&](std::uint64_t block, std::span<const FlowRow> rows) {
        EXPECT_EQ(rows.front().flow, numbered_flows(10 * told++, 1).front().flow);
        return this->store().record_outcomes("one", block, endings_of(numbered_flows(0, 10)));
    });
    ASSERT_TRUE(settled.has_value()) << settled.error().message;
    EXPECT_EQ(told, 5U);
    EXPECT_TRUE(this->pending("one").empty());
}

TYPED_TEST_P(OperationStoreConformance, operations_expire_that_ended_long_enough_ago) {
    constexpr std::chrono::hours kKept{12};
    for (const std::string id : {"running", "old", "fresh"}) {
        this->begin(operation_named(id), id);
        this->append(id, numbered_flows(0, 100));
        if (id != "running") this->end(operation_named(id));
        if (id == "old") this->environment_.clock().pass(std::chrono::hours{11});
    }
    EXPECT_EQ(this->store().expire(kKept), 0U);
    this->reopen();
    this->environment_.clock().pass(std::chrono::hours{2});
    EXPECT_EQ(this->store().expire(kKept), 1U);
    EXPECT_EQ(this->store().expire(kKept), 0U);
    this->reopen();
    EXPECT_EQ(this->listed(), (std::vector<std::string>{"fresh", "running"}));
    EXPECT_EQ(this->store().find_by_token("old").value(), std::nullopt);
    EXPECT_EQ(this->store().flows("old", 0, 1).error().kind, ErrorKind::Missing);
    EXPECT_EQ(this->flows("fresh").size(), 100U);
    this->begin(operation_named("next"));
    EXPECT_TRUE(this->flows("next").empty());
}

TYPED_TEST_P(OperationStoreConformance, nothing_expires_by_the_wall_clock) {
    constexpr std::chrono::hours kKept{12};
    auto& clock = this->environment_.clock();
    for (const auto days : {2, -2, 300, -300}) {
        SCOPED_TRACE(days);
        const auto id = std::to_string(days);
        this->begin(operation_named("before " + id));
        this->end(operation_named("before " + id));
        clock.jump(std::chrono::hours{24 * days});
        this->begin(operation_named("after " + id));
        this->end(operation_named("after " + id));
        EXPECT_EQ(this->store().expire(kKept), 0U);
    }
    clock.reboot(std::chrono::hours{100});
    EXPECT_EQ(this->store().expire(kKept), 0U) << "whether the machine was off or its clock wrong cannot be determined";
    clock.pass(kKept / 2);
    EXPECT_EQ(this->store().expire(kKept), 0U);
    clock.pass(kKept);
    EXPECT_EQ(this->store().expire(kKept), 8U) << "what has passed in this boot counts";
}

TYPED_TEST_P(OperationStoreConformance, a_sweep_comes_to_its_end) {
    this->begin(operation_named("one"));
    for (std::uint32_t row = 0; row < 8192; row += 1024)
        this->append("one", numbered_flows(row, 1024));
    this->end(operation_named("one"));
    this->environment_.clock().pass(std::chrono::hours{2});
    const auto full = this->store().bytes_used().value();
    EXPECT_EQ(this->store().expire(std::chrono::hours{1}), 1U);
    Result<bool> more = true;
    for (int step = 0; step < 10'000 && more && *more; ++step)
        more = this->store().sweep();
    ASSERT_TRUE(more.has_value());
    EXPECT_FALSE(*more);
    EXPECT_LT(this->store().bytes_used().value(), full);
}

TYPED_TEST_P(OperationStoreConformance, shrinks_by_the_oldest_that_ended) {
    const auto empty = this->store().bytes_used().value();
    this->begin(operation_named("running"));
    for (const auto* id : {"one", "two", "three"}) {
        this->begin(operation_named(id));
        for (std::uint32_t row = 0; row < 8192; row += 1024)
            this->append(id, numbered_flows(row, 1024));
        this->end(operation_named(id));
    }
    const auto full = this->store().bytes_used().value();
    EXPECT_EQ(this->store().shrink_to(full), 0U);
    ASSERT_EQ(this->listed().size(), 4U);
    const auto removed = this->store().shrink_to(empty + (full - empty) / 2);
    ASSERT_TRUE(removed.has_value()) << removed.error().message;
    EXPECT_LE(this->store().bytes_used().value(), empty + (full - empty) / 2);
    EXPECT_GE(*removed, 1U);
    EXPECT_EQ(this->listed().front(), "three");
    EXPECT_EQ(this->listed().back(), "running");
    EXPECT_EQ(this->flows("three"), numbered_flows(0, 8192));
    EXPECT_EQ(*removed + *this->store().shrink_to(0), 3U);
    EXPECT_EQ(this->listed(), (std::vector<std::string>{"running"}));
}

TYPED_TEST_P(OperationStoreConformance, a_flush_goes_after_all_captures) {
    const auto ended = [&](FlowOperation operation) {
        this->begin(operation);
        this->append(operation.id, numbered_flows(0, 4096));
        this->end(operation);
    };
    auto flush = operation_named("flush");
    flush.type = OperationType::Flush;
    ended(flush);
    ended(operation_named("capture"));
    using Ids = std::vector<std::string>;
    auto running = operation_named("running");
    this->begin(running);
    EXPECT_EQ(this->store().shrink_to(0), 1U);
    EXPECT_EQ(this->listed(), (Ids{"running", "flush"})) << "the oldest, and it does not go for one in progress";
    this->end(running);
    EXPECT_EQ(this->store().shrink_to(0), 2U);
    EXPECT_EQ(this->listed(), Ids{});
}

TYPED_TEST_P(OperationStoreConformance, captures_go_of_the_caller_who_keeps_the_most_flows) {
    const auto ended = [&](std::string id, std::string user, std::uint32_t flows) {
        auto operation = operation_named(std::move(id));
        operation.caller.user = std::move(user);
        this->begin(operation);
        this->append(operation.id, numbered_flows(0, flows));
        operation.counts.matched = flows;
        this->end(operation);
    };
    ended("mine", "somebody", 1000);
    const auto room = this->store().bytes_used().value();
    for (const auto* id : {"first", "second", "third"})
        ended(id, "a flood", 20'000);
    EXPECT_GE(this->store().shrink_to(room + 100'000).value(), 1U);
    EXPECT_EQ(this->listed().back(), "mine") << "the oldest, and not the one who takes the room";
}

TYPED_TEST_P(OperationStoreConformance, two_stores_on_one_disk_see_the_same) {
    const auto other = this->environment_.open();
    this->begin(operation_named("one"), "token");
    EXPECT_EQ(other->find("one").value(), operation_named("one"));
    EXPECT_EQ(other->begin(operation_named("two"), "token").error().kind, ErrorKind::Exists);
    ASSERT_TRUE(other->begin(operation_named("two"), "other").has_value());
    const auto block = this->append_pending("one", rows_of(numbered_flows(0, 10)));
    ASSERT_TRUE(other->record_outcomes("one", block, endings_of(numbered_flows(0, 10))).has_value());
    EXPECT_TRUE(this->pending("one").empty());
    EXPECT_EQ(this->listed(), (std::vector<std::string>{"two", "one"}));
}

TYPED_TEST_P(OperationStoreConformance, one_writes_while_another_reads) {
    constexpr std::uint32_t kRows = 20'000;
    this->begin(operation_named("one"));
    std::atomic<bool> done{false};
    std::thread reader{[&] {
        std::size_t seen = 0;
        while (!done) {
            const auto page = this->store().flows("one", 0, SIZE_MAX);
            ASSERT_TRUE(page.has_value()) << page.error().message;
            EXPECT_GE(page->size(), seen);
            seen = page->size();
            EXPECT_EQ(this->store().list({})->size(), 1U);
        }
    }};
    for (std::uint32_t row = 0; row < kRows; row += 250)
        this->append("one", numbered_flows(row, 250));
    this->end(operation_named("one"));
    done = true;
    reader.join();
    EXPECT_EQ(this->flows("one"), numbered_flows(0, kRows));
}

REGISTER_TYPED_TEST_SUITE_P(OperationStoreConformance, an_operation_is_read_as_it_was_stored,
                            what_became_of_it_takes_the_place_of_what_was_known, is_found_by_the_token_of_its_request,
                            an_id_or_a_token_is_used_once, lists_the_newest_first_whatever_the_clock_said,
                            lists_what_was_selected, lists_those_of_a_user_and_since_a_time,
                            lists_those_of_some_firewalls_page_by_page, flows_are_read_as_they_were_stored,
                            pages_begin_and_end_anywhere, all_flows_are_read_in_their_order,
                            flows_of_an_operation_that_is_not_there_are_an_error, pending_flows_are_there_after_a_crash,
                            checks_whether_many_flows_would_fit, recovered_flows_are_read_as_they_ended,
                            flows_keep_their_verdicts_until_they_have_ended, a_block_is_settled_once_and_as_a_whole,
                            pending_flows_can_be_recovered_while_they_are_read,
                            operations_expire_that_ended_long_enough_ago, nothing_expires_by_the_wall_clock,
                            a_sweep_comes_to_its_end, shrinks_by_the_oldest_that_ended, a_flush_goes_after_all_captures,
                            two_stores_on_one_disk_see_the_same, one_writes_while_another_reads,
                            captures_go_of_the_caller_who_keeps_the_most_flows);

}  // namespace headgate::testing
