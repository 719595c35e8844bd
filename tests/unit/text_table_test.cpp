// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/text_table.h"

#include <gtest/gtest.h>

#include "cli/flow_text.h"
#include "support/flow_builder.h"

namespace headgate::cli {
namespace text_table_test {

using namespace headgate::testing;
using namespace std::chrono_literals;

std::string written(TextTable& table, const std::vector<Cells>& rows) {
    fmt::memory_buffer out;
    for (const auto& row : rows)
        table.add(row, out);
    table.finish(out);
    return fmt::to_string(out);
}

std::vector<Column> columns() {
    return {
        {"NAME"}, {"EXTRA", Column::Align::Left, 1}, {"LEAST", Column::Align::Left, 2}, {"N", Column::Align::Right}};
}

TEST(TextTable, aligns_columns) {
    TextTable table{columns(), std::nullopt, TextTable::Colour::No};
    EXPECT_EQ(written(table, {{"a", "x", "y", "1"}, {"longer", "x", "y", "100"}}),
              "NAME    EXTRA  LEAST    N\n"
              "a       x      y        1\n"
              "longer  x      y      100\n");
}

TEST(TextTable, leaves_out_the_most_dispensable_columns_until_it_fits) {
    TextTable narrow{columns(), 18, TextTable::Colour::No};
    EXPECT_EQ(written(narrow, {{"name", "x", "y", "1"}}), "NAME  EXTRA  N\nname  x      1\n");
    TextTable narrowest{columns(), 8, TextTable::Colour::No};
    EXPECT_EQ(written(narrowest, {{"name", "x", "y", "1"}}), "NAME  N\nname  1\n");
}

TEST(TextTable, leaves_out_columns_that_are_empty) {
    TextTable table{columns(), std::nullopt, TextTable::Colour::No};
    EXPECT_EQ(written(table, {{"a", "", "", "1"}}), "NAME  N\na     1\n");
}

TEST(TextTable, shows_an_empty_column_once_a_row_has_something_to_say_there) {
    TextTable table{{{"A"}, {"B"}}, std::nullopt, TextTable::Colour::No};
    fmt::memory_buffer out;
    for (int i = 0; i < 256; ++i)
        table.add({"a", ""}, out);
    out.clear();
    table.add({"a", ""}, out);
    table.add({"a", "b"}, out);
    EXPECT_EQ(fmt::to_string(out), "a\nA  B\na  b\n");
}

TEST(TextTable, shows_a_column_that_must_be_seen_though_it_is_empty) {
    TextTable table{
        {{"A"}, {"B", Column::Align::Left, 0, Column::WhenEmpty::Show}}, std::nullopt, TextTable::Colour::No};
    EXPECT_EQ(written(table, {{"a", ""}}), "A  B\na\n");
}

TEST(TextTable, without_rows_is_nothing) {
    TextTable table{columns(), std::nullopt, TextTable::Colour::No};
    EXPECT_EQ(written(table, {}), "");
}

TEST(TextTable, holds_no_more_than_a_page) {
    TextTable table{{{"N"}}, std::nullopt, TextTable::Colour::No};
    fmt::memory_buffer out;
    for (int i = 0; i < 256; ++i)
        table.add({"1"}, out);
    EXPECT_EQ(out.size(), 2U * 257);
    table.add({"wider than the page was"}, out);
    EXPECT_TRUE(fmt::to_string(out).ends_with("\nwider than the page was\n"));
}

TEST(FlowText, puts_ports_behind_addresses) {
    EXPECT_EQ(one_line(tcp_flow().from("10.0.1.2", 1).to("10.0.2.2", 80).established()),
              "tcp 10.0.1.2:1 -> 10.0.2.2:80 ESTABLISHED");
    EXPECT_EQ(one_line(udp_flow().from("2001:db8::1", 1).to("2001:db8::2", 53)),
              "udp [2001:db8::1]:1 -> [2001:db8::2]:53 NEW");
    EXPECT_EQ(one_line(icmp_flow()), "icmp 10.0.1.2 -> 10.0.2.2 type 8 code 0 id 7 NEW");
}

TEST(FlowText, tells_durations_and_amounts_briefly) {
    EXPECT_EQ(duration_text(42s), "42s");
    EXPECT_EQ(duration_text(187s), "3m07s");
    EXPECT_EQ(duration_text(7500s), "2h05m");
    EXPECT_EQ(duration_text(273'600s), "3d04h");
    EXPECT_EQ(amount_text(512), "512");
    EXPECT_EQ(amount_text(1536), "1.5K");
    EXPECT_EQ(amount_text(20'971'520), "20M");
    EXPECT_EQ(amount_text(UINT64_MAX), "16E");
}

}  // namespace text_table_test
}  // namespace headgate::cli
