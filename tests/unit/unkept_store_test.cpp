// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/unkept_store.h"

#include <gtest/gtest.h>

#include "support/manual_clock.h"
#include "support/stored_operations.h"

namespace headgate::testing {
namespace unkept_store_test {

class UnkeptStoreTest : public ::testing::Test {
  protected:
    void begin(const std::string& id, std::string_view token = {}) {
        ASSERT_TRUE(store_.begin(operation_named(id), token).has_value());
    }
    void end(const std::string& id) {
        auto operation = operation_named(id);
        operation.status = OperationStatus::Completed;
        ASSERT_TRUE(store_.update(operation).has_value());
    }

    ManualClock clock_;
    operations::UnkeptStore store_{clock_};
};

TEST_F(UnkeptStoreTest, recognises_flows_of_every_kind_from_anywhere) {
    begin("one");
    auto all = flows_of_every_kind();
    ASSERT_TRUE(store_.append("one", all).has_value());
    for (std::uint32_t row = 0; row < 1000; row += 250) {
        const auto more = numbered_flows(row, 250);
        ASSERT_TRUE(store_.append("one", more).has_value());
        all.insert(all.end(), more.begin(), more.end());
    }
    EXPECT_EQ(store_.flows("one", 0, SIZE_MAX).value(), all);
    EXPECT_EQ(store_.flows("one", 300, 200).value(), (std::vector<FlowRow>{all.begin() + 300, all.begin() + 500}));
    EXPECT_TRUE(store_.flows("one", all.size(), 1)->empty());
    std::size_t told = 0;
    ASSERT_TRUE(store_.for_each_flow("one", 3, [&](std::span<const FlowRow> flows) {
        told += flows.size();
        return Result<void>{};
    }));
    EXPECT_EQ(told, all.size() - 3);
    EXPECT_EQ(store_.flows("two", 0, 1).error().kind, ErrorKind::Missing);
}

TEST_F(UnkeptStoreTest, lists_and_finds_what_it_has) {
    begin("one", "token");
    begin("two");
    EXPECT_EQ(store_.list({})->front().id, "two");
    EXPECT_EQ(store_.list({.before_id = "two"})->front().id, "one");
    EXPECT_EQ(store_.find_by_token("token").value()->id, "one");
    EXPECT_FALSE(store_.find_by_token("").value().has_value());
    EXPECT_TRUE(store_.has("one"));
    EXPECT_FALSE(store_.has("three"));
}

TEST_F(UnkeptStoreTest, forgets_what_has_ended_by_and_by) {
    begin("one");
    end("one");
    clock_.pass(std::chrono::hours{13});
    begin("two");
    EXPECT_EQ(store_.expire(std::chrono::hours{12}), 1U);
    for (int i = 0; i < 200; ++i) {
        begin(std::to_string(i));
        end(std::to_string(i));
    }
    EXPECT_LE(store_.list({})->size(), 65U);
    EXPECT_EQ(store_.list({})->front().id, "199");
    EXPECT_TRUE(store_.has("two")) << "it is in progress";
}

TEST_F(UnkeptStoreTest, is_no_place_for_what_needs_a_journal) {
    begin("one");
    EXPECT_FALSE(store_.append_pending("one", rows_of(numbered_flows(0, 1))).has_value());
}

}  // namespace unkept_store_test
}  // namespace headgate::testing
