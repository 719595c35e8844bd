// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include <functional>
#include <mutex>
#include <set>
#include <thread>

#include "operations/engine.h"
#include "support/operating_engine.h"

namespace headgate::testing {
namespace engine_tokens_test {

using namespace std::chrono_literals;
using operations::OperationRequest;

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

TEST_F(Operating, by_a_token_of_a_request_of_the_version_before_is_recognised_by_its_operation) {
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

TEST_F(Operating, by_one_token_from_many_sides_begins_once) {
    auto request = request_for(OperationType::Capture);
    request.token = "once";
    std::vector<std::thread> threads;
    std::mutex mutex;
    std::set<std::string> ids;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] {
            // The other calls may fail as busy while the first one starts the operation.
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

TEST_F(Operating, the_key_of_one_caller_gives_nothing_to_another) {
    auto request = request_for(OperationType::Capture);
    request.token = "rest:certificate:ops:x:k";
    const auto first = run(request);
    EXPECT_EQ(engine_->start(request)->id, first.id);
    request.caller.user = "ops:x";
    EXPECT_EQ(engine_->start(request).error().kind, ErrorKind::Refused);
}

}  // namespace engine_tokens_test
}  // namespace headgate::testing
