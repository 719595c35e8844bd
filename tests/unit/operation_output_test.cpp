// SPDX-License-Identifier: GPL-2.0-or-later
// What the command line says of an operation as a whole.
#include "cli/operation_output.h"

#include <gtest/gtest.h>

#include "flow/flow_json.h"

namespace headgate::cli {
namespace operation_output_test {

/// `first` and `last`: times of 2026-11-29, unless they have a date; empty: none.
std::string said(std::string_view first, std::string_view last = "") {
    const auto at = [](std::string_view text) -> std::optional<Timestamp> {
        if (text.empty()) return std::nullopt;
        return parse_rfc3339(text.size() > 10 ? std::string{text} : fmt::format("2026-11-29T{}Z", text)).value();
    };
    FlowOperation operation;
    operation.blocked = true;
    operation.blocked_until = at(first);
    operation.last_blocked_until = at(last);
    operation.stream_exception_policy = "drop";
    return blocked_text(operation, {CellStyle::Zone::Utc, CellStyle::Form::Short, *at("18:10:14")});
}

TEST(BlockedFlows, are_said_to_be_so_until_a_time_with_its_date_if_that_is_not_today) {
    EXPECT_EQ(said("18:15:14"), "blocked until 18:15:14Z; later packets are judged by your rules");
    EXPECT_EQ(said("2026-11-30T00:05:00Z"),
              "blocked until 2026-11-30 00:05:00Z; later packets are judged by your rules");
}

TEST(BlockedFlows, with_times_of_their_own_are_said_to_be_so_until_the_first_and_until_the_last) {
    EXPECT_EQ(said("18:10:44", "2026-12-04T18:10:14Z"),
              "blocked until 18:10:44Z, the last of them until 2026-12-04 18:10:14Z; later packets are judged by your "
              "rules");
    EXPECT_EQ(said("18:10:44", "18:10:44"), said("18:10:44"));
}

TEST(BlockedFlows, of_a_policy_on_all_midstream_packets_have_no_time) {
    EXPECT_EQ(said(""), "blocked as long as policy drop is in force");
}

TEST(BlockedFlows, are_not_mentioned_if_there_are_none) {
    EXPECT_EQ(blocked_text(FlowOperation{}, {}), "");
}

}  // namespace operation_output_test
}  // namespace headgate::cli
