// SPDX-License-Identifier: GPL-2.0-or-later
// What tables and CSV make of a value, and the order of values.
#include "cli/cell.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "flow/flow_json.h"

namespace headgate::cli {
namespace cell_test {

using namespace std::chrono_literals;

Timestamp at(std::string_view text) {
    return parse_rfc3339(text).value();
}

CellStyle utc_at(std::string_view now) {
    return {CellStyle::Zone::Utc, CellStyle::Form::Short, at(now)};
}

/// The texts in this order, without an order of their own.
std::vector<std::string> sorted(std::vector<Cell> cells, Direction direction) {
    std::ranges::stable_sort(cells, [&](const Cell& a, const Cell& b) { return is_before(a, b, direction); });
    std::vector<std::string> texts;
    std::ranges::transform(cells, std::back_inserter(texts), csv_text);
    return texts;
}

TEST(Cell, is_brief_for_people_and_exact_for_programs) {
    const auto style = utc_at("2026-11-29T20:00:00Z");
    const auto forms = [&](const Cell& cell) { return std::pair{table_text(cell, style), csv_text(cell)}; };
    EXPECT_EQ(forms(Bytes{2560}), std::pair(std::string{"2.5 KiB"}, std::string{"2560"}));
    EXPECT_EQ(forms(187s), std::pair(std::string{"3m07s"}, std::string{"187"}));
    EXPECT_EQ(forms(Mark{255}), std::pair(std::string{"0xff"}, std::string{"255"}));
    EXPECT_EQ(forms(Mark{0}), std::pair(std::string{}, std::string{"0"}));
    EXPECT_EQ(forms(Signed{-150}), std::pair(std::string{"-150"}, std::string{"-150"}));
    EXPECT_EQ(forms(std::uint64_t{7}), std::pair(std::string{"7"}, std::string{"7"}));
    EXPECT_EQ(forms(Would{7}), std::pair(std::string{"would 7"}, std::string{}));
    EXPECT_EQ(forms(ShortId{"4f7b2c1e-9a60-4d0f-8b8e-2b1f0c9d7e31"}),
              std::pair(std::string{"4f7b2c1e"}, std::string{"4f7b2c1e-9a60-4d0f-8b8e-2b1f0c9d7e31"}));
    EXPECT_EQ(forms(at("2026-11-29T18:10:14.5Z")),
              std::pair(std::string{"18:10:14Z"}, std::string{"2026-11-29T18:10:14.500Z"}));
}

TEST(Cell, has_the_date_where_it_is_not_today) {
    EXPECT_EQ(time_text(at("2026-11-28T18:10:14Z"), utc_at("2026-11-29T00:00:01Z")), "2026-11-28 18:10:14Z");
    EXPECT_EQ(time_text(at("2025-11-29T18:10:14Z"), utc_at("2026-11-29T20:00:00Z")), "2025-11-29 18:10:14Z");
}

TEST(Cell, shows_times_in_the_local_zone_unless_told_otherwise) {
    ::setenv("TZ", "CET-1", 1);
    ::tzset();
    CellStyle style;
    style.now = at("2026-11-29T23:30:00Z");
    EXPECT_EQ(time_text(at("2026-11-29T23:10:14Z"), style), "00:10:14") << "the day began there";
    EXPECT_EQ(time_text(at("2026-11-29T20:10:14Z"), style), "2026-11-29 21:10:14");
    EXPECT_EQ(whole_time_text(at("2026-11-29T23:10:14Z"), style), "2026-11-30 00:10:14 +0100");
    style.form = CellStyle::Form::Whole;
    EXPECT_EQ(table_text(at("2026-11-29T23:10:14Z"), style), "2026-11-30 00:10:14 +0100") << "with date and zone";
    style.zone = CellStyle::Zone::Utc;
    EXPECT_EQ(whole_time_text(at("2026-11-29T23:10:14Z"), style), "2026-11-29 23:10:14Z");
    ::unsetenv("TZ");
    ::tzset();
}

TEST(Cell, is_in_order_of_its_value_and_last_without_one) {
    EXPECT_EQ(sorted({"10.0.0.10:80", "", "10.0.0.9:443", "10.0.0.9:80"}, Direction::Ascending),
              (std::vector<std::string>{"10.0.0.9:80", "10.0.0.9:443", "10.0.0.10:80", ""}));
    EXPECT_EQ(sorted({Bytes{900}, Cell{}, Bytes{1024}}, Direction::Descending),
              (std::vector<std::string>{"1024", "900", ""}));
    EXPECT_EQ(sorted({Cell{61s}, Cell{9s}}, Direction::Ascending), (std::vector<std::string>{"9", "61"}));
    EXPECT_EQ(sorted({Signed{-5}, Signed{10}, Signed{-150}}, Direction::Ascending),
              (std::vector<std::string>{"-150", "-5", "10"}));
    EXPECT_EQ(sorted({Mark{0x10}, Mark{0x9}, Mark{0xff}}, Direction::Descending),
              (std::vector<std::string>{"255", "16", "9"}));
    EXPECT_EQ(sorted({"b", "a", "a10", "a9"}, Direction::Ascending), (std::vector<std::string>{"a", "a9", "a10", "b"}));
}

}  // namespace cell_test
}  // namespace headgate::cli
