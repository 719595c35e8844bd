// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include "base/printable.h"
#include "http/request_record.h"

namespace headgate::http {
namespace access_line_test {

using namespace std::chrono_literals;

RequestRecord start_of_a_flush() {
    RequestRecord record;
    record.caller = {"sigv4", std::nullopt, "AKIDEXAMPLE", "", "10.0.0.9"};
    record.method = "POST";
    record.path = "/";
    record.route = "aws:StartFlowFlush";
    record.status = 200;
    record.bytes = 133;
    record.duration = 1800us;
    return record;
}

TEST(AccessLine, has_the_client_the_request_and_its_status) {
    EXPECT_EQ(access_line(start_of_a_flush()),
              "sigv4:AKIDEXAMPLE@10.0.0.9 POST / aws:StartFlowFlush 200 133 bytes 1.8 ms");
}

TEST(AccessLine, has_the_route_only_where_it_differs_from_the_path) {
    auto record = start_of_a_flush();
    record.caller = {"unix", 0U, "root", "", ""};
    record.method = "GET";
    record.path = "/v1/operations/x";
    record.route = "/v1/operations/{id}";
    EXPECT_EQ(access_line(record), "unix:root GET /v1/operations/x 200 133 bytes 1.8 ms");
    record.route = {};
    record.caller = {"tcp", std::nullopt, "", "", "::1"};
    EXPECT_EQ(access_line(record), "tcp@::1 GET /v1/operations/x 200 133 bytes 1.8 ms");
}

TEST(AccessLine, reports_that_an_answer_was_cut) {
    auto record = start_of_a_flush();
    record.cut = true;
    EXPECT_TRUE(access_line(record).ends_with(" 1.8 ms cut"));
}

TEST(AccessLine, stays_one_line_of_its_fields_whatever_was_sent) {
    auto record = start_of_a_flush();
    record.path = "/a\nroot GET /b\x1b[31m\x7f\xff\u202e";
    record.method = "GET\r";
    record.caller.user = "me you";
    EXPECT_EQ(access_line(record),
              "sigv4:me?you@10.0.0.9 GET? /a?root?GET?/b?[31m??? aws:StartFlowFlush 200 133 bytes 1.8 ms");
}

TEST(AccessLine, is_not_longer_for_a_longer_path) {
    auto record = start_of_a_flush();
    record.path = "/" + std::string(64 * 1024, 'x');
    EXPECT_LT(access_line(record).size(), 300U);
    for (std::size_t before = 195; before < 200; ++before) {
        record.path = "/" + std::string(before, 'x') + "\u20ac\u20ac\u20ac";
        EXPECT_EQ(find_unprintable(access_line(record)), std::nullopt) << "no half of a character is left";
    }
}

}  // namespace access_line_test
}  // namespace headgate::http
