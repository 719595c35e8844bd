// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/text_table.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "cli/flow_text.h"
#include "support/flow_builder.h"

namespace headgate::cli {
namespace text_table_test {

using namespace headgate::testing;
using namespace std::chrono_literals;

TableLayout wide_as(std::size_t width) {
    TableLayout layout;
    layout.width = width;
    return layout;
}

std::string written(TextTable& table, const std::vector<Cells>& rows) {
    fmt::memory_buffer out;
    for (const auto& row : rows)
        table.add(row, out);
    table.finish(out);
    return fmt::to_string(out);
}

constexpr auto kLeft = Column::Align::Left;

std::vector<Column> columns() {
    return {{"NAME"}, {"EXTRA", kLeft, 1}, {"LEAST", kLeft, 2}, {"N", Column::Align::Right}};
}

TEST(TextTable, aligns_columns) {
    TextTable table{columns(), {}};
    EXPECT_EQ(written(table, {{"a", "x", "y", "1"}, {"longer", "x", "y", "100"}}),
              "NAME    EXTRA  LEAST    N\n"
              "a       x      y        1\n"
              "longer  x      y      100\n");
}

TEST(TextTable, leaves_out_the_most_dispensable_columns_until_it_fits_and_knows_which) {
    TextTable narrow{columns(), wide_as(18)};
    EXPECT_EQ(written(narrow, {{"name", "x", "y", "1"}}), "NAME  EXTRA  N\nname  x      1\n");
    EXPECT_EQ(narrow.left_out(), (std::vector<std::string>{"least"}));
    TextTable narrowest{columns(), wide_as(8)};
    EXPECT_EQ(written(narrowest, {{"name", "x", "y", "1"}}), "NAME  N\nname  1\n");
    EXPECT_EQ(narrowest.left_out(), (std::vector<std::string>{"extra", "least"}));
}

TEST(TextTable, shows_a_column_that_fits_even_if_a_less_dispensable_one_does_not) {
    TextTable table{columns(), wide_as(18)};
    EXPECT_EQ(written(table, {{"name", "wider than that", "y", "1"}}), "NAME  LEAST  N\nname  y      1\n");
    EXPECT_EQ(table.left_out(), (std::vector<std::string>{"extra"}));
}

TEST(TextTable, leaves_out_columns_that_are_empty_and_needs_not_tell) {
    TextTable table{columns(), wide_as(80)};
    EXPECT_EQ(written(table, {{"a", "", "", "1"}}), "NAME  N\na     1\n");
    EXPECT_TRUE(table.left_out().empty());
}

TEST(TextTable, cuts_a_column_to_the_room_that_the_others_leave) {
    const std::vector<Column> columns{{"NAME"}, {"WHAT", kLeft, 1, Column::Shown::Usually, Column::Fit::Cut}, {"N"}};
    const std::vector<Cells> rows{{"a", "something rather long", "1"}};
    TextTable roomy{columns, wide_as(80)};
    EXPECT_EQ(written(roomy, rows), "NAME  WHAT                   N\na     something rather long  1\n");
    TextTable narrow{columns, wide_as(26)};
    EXPECT_EQ(written(narrow, rows), "NAME  WHAT               N\na     something rath...  1\n");
    TextTable narrower{columns, wide_as(20)};
    EXPECT_EQ(written(narrower, rows), "NAME  N\na     1\n");
}

TEST(TextTable, cuts_no_text_that_is_short_even_if_those_of_the_first_page_were_shorter) {
    TextTable table{{{"N"}, {"WHO", kLeft, 1, Column::Shown::Usually, Column::Fit::Cut}}, wide_as(80)};
    fmt::memory_buffer out;
    for (int i = 0; i < 256; ++i)
        table.add({"1", "root"}, out);
    table.add({"1", "twelve chars"}, out);
    table.add({"1", "more than twelve"}, out);
    EXPECT_TRUE(fmt::to_string(out).ends_with("\n1  twelve chars\n1  more than...\n"));
}

TEST(TextTable, cuts_between_characters) {
    TextTable table{{{"NAME"}, {"WHAT", kLeft, 1, Column::Shown::Usually, Column::Fit::Cut}}, wide_as(18)};
    EXPECT_EQ(written(table, {{"a", "eight by\u00e9 and more"}}), "NAME  WHAT\na     eight by...\n");
}

TEST(TextTable, shows_an_empty_column_once_a_row_has_a_value_there) {
    TextTable table{{{"A"}, {"B"}}, {}};
    fmt::memory_buffer out;
    for (int i = 0; i < 256; ++i)
        table.add({"a", ""}, out);
    out.clear();
    table.add({"a", ""}, out);
    table.add({"a", "b"}, out);
    EXPECT_EQ(fmt::to_string(out), "a\nA  B\na  b\n");
}

TEST(TextTable, shows_empty_columns_and_no_header_where_the_layout_says_so) {
    TableLayout layout;
    layout.empty = TableLayout::Empty::Show;
    TextTable table{{{"A"}, {"B"}}, layout};
    EXPECT_EQ(written(table, {{"a", ""}}), "A  B\na\n");
    layout.header = TableLayout::Header::No;
    TextTable bare{{{"A"}, {"B"}}, layout};
    EXPECT_EQ(written(bare, {{"a", ""}}), "a\n");
}

TEST(TextTable, without_rows_is_nothing) {
    TextTable table{columns(), {}};
    EXPECT_EQ(written(table, {}), "");
}

TEST(TextTable, holds_no_more_than_a_page) {
    TextTable table{{{"N"}}, {}};
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

TEST(FlowText, prints_durations_and_amounts_briefly) {
    EXPECT_EQ(rounded_duration(42s), "42s");
    EXPECT_EQ(rounded_duration(187s), "3m07s");
    EXPECT_EQ(rounded_duration(7500s), "2h05m");
    EXPECT_EQ(rounded_duration(273'600s), "3d04h");
    EXPECT_EQ(amount_text(512), "512 B");
    EXPECT_EQ(amount_text(1536), "1.5 KiB");
    EXPECT_EQ(amount_text(209'715'200), "200 MiB");
    EXPECT_EQ(amount_text(UINT64_MAX), "16.0 EiB");
}

}  // namespace text_table_test
}  // namespace headgate::cli
