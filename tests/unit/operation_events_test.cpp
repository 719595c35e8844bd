// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include "http/rest/handlers.h"
#include "support/memory_gateway.h"

namespace headgate::http {
namespace operation_events_test {

using namespace headgate::testing;

class OperationEvents : public ::testing::Test {
  protected:
    std::string started() {
        gateway::OperationRequest request;
        request.query = query_for_all();
        return gateway_.start(request).value().id;
    }
    /// All that the stream sends until it ends; calls `upon` with each piece.
    std::string told_of(const std::string& id, const std::function<void(std::string_view)>& upon) {
        std::string told;
        const auto sent = send_events(
            gateway_, id, [this] { return over_; }, pace_,
            [&](std::string_view piece) {
                told += piece;
                upon(piece);
                return Result<void>{};
            });
        EXPECT_TRUE(sent);
        return told;
    }

    MemoryGateway gateway_;
    EventPace pace_{std::chrono::milliseconds{1}, std::chrono::hours{1}};
    bool over_ = false;
};

TEST_F(OperationEvents, report_progress_and_then_the_end) {
    const auto id = started();
    const auto told = told_of(id, [&](std::string_view piece) {
        if (piece.starts_with("event: progress")) gateway_.finish(id, {});
    });
    EXPECT_TRUE(told.starts_with("event: progress\ndata: {\"operation_id\":\"operation-1\",")) << told;
    const auto end = told.find("\n\nevent: end\ndata: {");
    ASSERT_NE(end, std::string::npos) << told;
    EXPECT_NE(told.find("\"status\":\"COMPLETED\"", end), std::string::npos);
    EXPECT_TRUE(told.ends_with("}\n\n"));
    EXPECT_EQ(std::ranges::count(told, '\n'), 6) << "one progress, one end, each of two lines and an empty one";
}

TEST_F(OperationEvents, of_one_that_has_ended_are_its_end_alone) {
    const auto id = started();
    gateway_.finish(id, {});
    EXPECT_TRUE(told_of(id, [](auto) {}).starts_with("event: end\n"));
}

TEST_F(OperationEvents, a_comment_keeps_a_silent_stream_alive) {
    pace_.keep_alive = std::chrono::milliseconds{0};
    const auto id = started();
    const auto told = told_of(id, [&](std::string_view piece) {
        if (piece == ": still in progress\n\n") gateway_.finish(id, {});
    });
    EXPECT_NE(told.find("\n\n: still in progress\n\nevent: end\n"), std::string::npos) << told;
}

TEST_F(OperationEvents, nothing_is_sent_to_a_client_that_has_gone) {
    const auto id = started();
    const auto told = told_of(id, [&](std::string_view) { over_ = true; });
    EXPECT_EQ(told.find("event: end"), std::string::npos);
    const auto sent = send_events(
        gateway_, id, [] { return false; }, pace_,
        [](std::string_view) -> Result<void> { return failed("the pipe is broken"); });
    EXPECT_EQ(sent.error().message, "the pipe is broken");
}

TEST_F(OperationEvents, an_operation_that_is_not_there_is_not_found) {
    Request request;
    request.path_members = {{"id", "x"}};
    EXPECT_EQ(follow_operation(request, gateway_).error().kind, ErrorKind::NotFound);
    request.path_members = {{"id", started()}};
    const auto answer = follow_operation(request, gateway_).value();
    EXPECT_EQ(answer.content_type, "text/event-stream");
    EXPECT_EQ(answer.headers.front().second, "no-store");
}

}  // namespace operation_events_test
}  // namespace headgate::http
