// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include <algorithm>

#include "flow/json_reader.h"
#include "http/rest/handlers.h"
#include "support/memory_gateway.h"

namespace headgate::http {
namespace overview_test {

using namespace headgate::testing;

class Overview : public ::testing::Test {
  protected:
    Overview() {
        gateway_.configured.firewalls = {{"edge", {{"a", {}, {}, {}}, {"b", "gone", {}, {}}}}};
        gateway_.census.usage = {7, 100, 64};
        gateway_.ruleset.counters = {{"drop", Hook::Forward, PacketDirection::Reply, "tcp", 3, 180}};
    }
    Response shown(std::string accept = {}) {
        Request request;
        request.headers["Accept"] = std::move(accept);
        return show_overview(request, gateway_, gateway_, gateway_).value();
    }
    FlowOperation start() {
        gateway::OperationRequest request;
        request.query = query_for_all();
        return gateway_.start(request).value();
    }
    /// All that the stream sends until it ends; calls `upon` with each piece.
    std::string told(const std::function<void(std::string_view)>& upon) {
        std::string all;
        EXPECT_TRUE(send_overviews(
            gateway_, gateway_, gateway_, [this] { return over_; }, pace_,
            [&](std::string_view piece) {
                all += piece;
                upon(piece);
                return Result<void>{};
            }));
        return all;
    }

    MemoryGateway gateway_;
    OverviewPace pace_{std::chrono::milliseconds{1}, std::chrono::milliseconds{1}, std::chrono::hours{1}};
    bool over_ = false;
};

TEST_F(Overview, reports_tables_midstream_counters_and_operations_in_progress) {
    const auto id = start().id;
    const auto answer = shown();
    EXPECT_EQ(answer.status, 200);
    EXPECT_NE(answer.body.find(R"("firewall":"edge","availability_zone":"a","in_use":7,)"), std::string::npos);
    EXPECT_NE(answer.body.find(R"("protocol":"tcp","packets":3,"bytes":180)"), std::string::npos);
    EXPECT_NE(answer.body.find(R"("operations":[{"operation_id":")" + id), std::string::npos) << answer.body;
    gateway_.finish(id, {});
    EXPECT_NE(shown().body.find(R"("operations":[])"), std::string::npos);
}

TEST_F(Overview, an_endpoint_that_cannot_be_read_does_not_hide_the_others) {
    const auto body = shown().body;
    EXPECT_NE(body.find(R"("availability_zone":"b","netns":"gone","fault":"the network namespace is gone")"),
              std::string::npos)
        << body;
    EXPECT_TRUE(parse_json_object(body));
}

TEST_F(Overview, is_sent_again_when_it_has_changed) {
    int events = 0;
    const auto all = told([&](std::string_view piece) {
        if (!piece.starts_with("event: overview\ndata: {")) return;
        if (++events == 1) gateway_.census.usage.in_use = 8;
        over_ = events == 2;
    });
    EXPECT_EQ(events, 2);
    EXPECT_LT(all.find(R"("in_use":7)"), all.find(R"("in_use":8)"));
    EXPECT_EQ(std::ranges::count(all, '\n'), 6) << "two events, each of two lines and an empty one";
}

TEST_F(Overview, a_comment_keeps_a_silent_stream_alive) {
    pace_.keep_alive = std::chrono::milliseconds{0};
    told([&](std::string_view piece) { over_ = piece == ": nothing has changed\n\n"; });
    EXPECT_TRUE(over_);
}

TEST_F(Overview, does_not_keep_a_gateway_from_ending) {
    const auto all = told([&](std::string_view) { gateway_.ending = true; });
    EXPECT_TRUE(all.starts_with("event: overview\n"));
    EXPECT_FALSE(over_) << "a client was still waiting";
}

TEST_F(Overview, is_json_or_events_and_nothing_else) {
    EXPECT_EQ(shown("text/event-stream").content_type, "text/event-stream");
    EXPECT_TRUE(shown("text/event-stream").stream);
    EXPECT_EQ(shown("text/csv").status, 406);
}

}  // namespace overview_test
}  // namespace headgate::http
