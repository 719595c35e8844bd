// SPDX-License-Identifier: GPL-2.0-or-later
// The formats of output: what each makes of the same rows and documents.
#include "cli/writer.h"

#include <gtest/gtest.h>

namespace headgate::cli {
namespace writer_test {

struct Fruit {
    std::string name;
    std::uint64_t count;
};

Append text(std::string_view what) {
    return [what](fmt::memory_buffer& out) { out.append(what); };
}

const Heading kHeading{.list = "fruits"};
const std::vector<Column> kColumns{{"NAME"}, {"N", Column::Align::Right}};
const std::vector<Fruit> kFruits{{"apple", 1}, {"pear", 12}};

OutputChoice choice_of(std::string_view name) {
    OutputChoice choice{parse_output_format(name).value()};
    choice.columns = kColumns;
    return choice;
}

/// What a Writer sends to stdout.
std::string written(OutputChoice choice, const std::vector<Fruit>& rows, const Heading& heading, const Ending& ending) {
    ::testing::internal::CaptureStdout();
    Writer writer{std::move(choice)};
    writer.begin(heading);
    for (const auto& each : rows) {
        const auto append_json = [&](fmt::memory_buffer& json) {
            fmt::format_to(std::back_inserter(json), "{{\"{}\":{}}}", each.name, each.count);
        };
        const auto cells = [&] { return Cells{each.name, each.count}; };
        EXPECT_TRUE(writer.row(append_json, cells));
    }
    EXPECT_TRUE(writer.end(ending));
    return ::testing::internal::GetCapturedStdout();
}
std::string written(std::string_view name, const std::vector<Fruit>& rows, const Heading& heading,
                    const Ending& ending) {
    return written(choice_of(name), rows, heading, ending);
}

std::unique_ptr<Format> format(std::string_view name) {
    return parse_output_format(name).value().make(kColumns, {});
}

TEST(Writer, writes_rows_in_each_format) {
    EXPECT_EQ(written("table", kFruits, kHeading, {}), "NAME    N\napple   1\npear   12\n");
    EXPECT_EQ(written("json", kFruits, kHeading, {}), "{\"fruits\":[\n{\"apple\":1},\n{\"pear\":12}]}\n");
    EXPECT_EQ(written("ndjson", kFruits, kHeading, {}), "{\"apple\":1}\n{\"pear\":12}\n");
    EXPECT_EQ(written("csv", {{"a,b", 1}, {"\"", 2}}, kHeading, {.text = text("below\n")}),
              "name,n\r\n\"a,b\",1\r\n\"\"\"\",2\r\n");
}

TEST(Writer, writes_the_columns_that_are_chosen_in_their_order) {
    for (const auto& [name, expected] :
         {std::pair{"table", "N   NAME\n1   apple\n12  pear\n"}, {"csv", "n,name\r\n1,apple\r\n12,pear\r\n"}}) {
        auto choice = choice_of(name);
        choice.columns[1].align = Column::Align::Left;
        choice.chosen = {1, 0};
        EXPECT_EQ(written(choice, kFruits, kHeading, {}), expected);
    }
}

TEST(Writer, shows_some_columns_only_where_all_are_shown) {
    const auto with_rare_name = [](std::string_view name) {
        auto choice = choice_of(name);
        choice.columns[0].shown = Column::Shown::OnRequest;
        return choice;
    };
    EXPECT_EQ(written(with_rare_name("table"), {{"apple", 1}}, kHeading, {}), "N\n1\n");
    EXPECT_EQ(written(with_rare_name("wide"), {{"apple", 1}}, kHeading, {}), "NAME   N\napple  1\n");
    EXPECT_EQ(written(with_rare_name("csv"), {{"apple", 1}}, kHeading, {}), "name,n\r\napple,1\r\n");
}

TEST(Writer, sorts_rows_in_each_format) {
    const auto by_number = [](std::string_view name) {
        auto choice = choice_of(name);
        choice.order = RowOrder{1, Direction::Descending};
        return choice;
    };
    EXPECT_EQ(written(by_number("table"), kFruits, kHeading, {}), "NAME    N\npear   12\napple   1\n");
    EXPECT_EQ(written(by_number("json"), kFruits, kHeading, {}), "{\"fruits\":[\n{\"pear\":12},\n{\"apple\":1}]}\n");
    EXPECT_EQ(written(by_number("ndjson"), kFruits, kHeading, {}), "{\"pear\":12}\n{\"apple\":1}\n");
}

TEST(Writer, leaves_lines_of_csv_to_rows_that_make_them_unless_columns_are_chosen) {
    const auto written_lines = [](OutputChoice choice) {
        ::testing::internal::CaptureStdout();
        Writer writer{std::move(choice)};
        writer.begin({.list = "fruits", .csv_header = text("own\r\n")});
        for (const std::uint64_t count : {1U, 2U}) {
            const auto append_record = [&](fmt::memory_buffer& out) {
                fmt::format_to(std::back_inserter(out), "{}{}", count, writer.writes_csv_lines() ? " own\r\n" : "");
            };
            EXPECT_TRUE(writer.row(append_record, [&] { return Cells{"fruit", count}; }));
        }
        EXPECT_TRUE(writer.end());
        return ::testing::internal::GetCapturedStdout();
    };
    auto choice = choice_of("csv");
    choice.order = RowOrder{1, Direction::Descending};
    EXPECT_EQ(written_lines(choice), "own\r\n2 own\r\n1 own\r\n");
    choice.layout.header = TableLayout::Header::No;
    EXPECT_EQ(written_lines(choice), "2 own\r\n1 own\r\n");
    choice.chosen = {1};
    EXPECT_EQ(written_lines(choice), "2\r\n1\r\n");
    EXPECT_EQ(written_lines(choice_of("json")), "{\"fruits\":[\n1,\n2]}\n");
}

TEST(Writer, counts_rows_in_place_of_writing_them) {
    for (const auto& [name, expected] : {std::pair{"table", "2\n"}, {"csv", "2\n"}, {"json", "{\"count\":2}\n"}}) {
        auto choice = choice_of(name);
        choice.show = OutputChoice::Show::Count;
        EXPECT_EQ(written(choice, kFruits, kHeading, {.text = text("below\n")}), expected);
    }
}

TEST(Writer, writes_rows_alone_where_a_program_reads_them_and_tells_the_user_the_rest) {
    Heading heading = kHeading;
    heading.text = text("above\n");
    const auto told = [&](OutputChoice choice, const std::string& expected) {
        ::testing::internal::CaptureStderr();
        EXPECT_EQ(written(std::move(choice), {{"apple", 1}}, heading, {.text = text("below\nand more\n")}), expected);
        return ::testing::internal::GetCapturedStderr();
    };
    const std::string rest = "headgate: above\nheadgate: below\nheadgate: and more\n";
    auto choice = choice_of("table");
    choice.layout.header = TableLayout::Header::No;
    EXPECT_EQ(told(choice, "apple  1\n"), rest);
    choice = choice_of("table");
    choice.chosen = {0};
    EXPECT_EQ(told(choice, "NAME\napple\n"), rest);
    EXPECT_EQ(told(choice_of("csv"), "name,n\r\napple,1\r\n"), rest);
    choice = choice_of("json");
    choice.show = OutputChoice::Show::Count;
    EXPECT_EQ(told(choice, "{\"count\":1}\n"), rest);
    EXPECT_EQ(told(choice_of("json"), "{\"fruits\":[\n{\"apple\":1}]}\n"), "") << "the keys have it";
}

TEST(Writer, holds_rows_that_it_sorts_up_to_a_limit) {
    auto choice = choice_of("csv");
    choice.order = RowOrder{1, Direction::Descending};
    choice.most_held = 1;
    Heading vital = kHeading;
    vital.is_vital = true;
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(written(choice, kFruits, vital, {}), "name,n\r\napple,1\r\npear,12\r\n");
    EXPECT_EQ(::testing::internal::GetCapturedStderr(),
              "headgate: warning: --sort: 1 rows take 1 B, and no more are held in memory: the rows are not sorted\n");

    Writer writer{choice};
    writer.begin(kHeading);
    const auto held = writer.row([](fmt::memory_buffer&) {}, [] { return Cells{"apple", std::uint64_t{1}}; });
    ASSERT_FALSE(held);
    EXPECT_TRUE(held.error().message.starts_with("--sort: ")) << held.error().message;
    EXPECT_FALSE(writer.end());

    choice.show = OutputChoice::Show::Count;
    EXPECT_EQ(written(choice, kFruits, kHeading, {}), "2\n") << "a number has no order";
}

TEST(Writer, tells_the_user_which_columns_did_not_fit) {
    auto choice = choice_of("table");
    choice.columns[1].dispensable = 1;
    choice.layout.width = 6;
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(written(choice, kFruits, kHeading, {}), "NAME\napple\npear\n");
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "headgate: columns left out: n; use -o wide\n");
}

TEST(Writer, writes_what_stands_around_rows_where_the_format_has_a_place_for_it) {
    Heading heading = kHeading;
    heading.text = text("above\n");
    heading.json = text("\"a\":1,");
    const Ending ending{.text = text("below\n"), .json = text(",\"b\":2"), .ndjson = text("{\"c\":3}")};
    EXPECT_EQ(written("table", kFruits, heading, ending), "above\nNAME    N\napple   1\npear   12\nbelow\n");
    EXPECT_EQ(written("json", kFruits, heading, ending),
              "{\"a\":1,\"fruits\":[\n{\"apple\":1},\n{\"pear\":12}\n],\"b\":2}\n");
    EXPECT_EQ(written("ndjson", kFruits, heading, ending), "{\"apple\":1}\n{\"pear\":12}\n{\"c\":3}\n");
}

TEST(Writer, writes_what_there_is_without_rows) {
    EXPECT_EQ(written("table", {}, kHeading, {.text = text("none\n")}), "none\n");
    EXPECT_EQ(written("json", {}, kHeading, {.json = text(",\"b\":2")}), "{\"fruits\":[],\"b\":2}\n");
    EXPECT_EQ(written("ndjson", {}, kHeading, {}), "");
}

TEST(Writer, shows_the_head_of_a_live_table_at_once) {
    Heading heading = kHeading;
    heading.live = true;
    fmt::memory_buffer out;
    format("table")->begin(out, heading);
    EXPECT_EQ(fmt::to_string(out), "NAME  N\n");
}

TEST(Writer, writes_a_document_as_text_or_as_json) {
    for (const auto& [name, expected] : {std::pair{"table", "text\n"}, {"json", "{}\n"}, {"ndjson", "{}\n"}}) {
        fmt::memory_buffer out;
        format(name)->document(out, text("{}"), text("text\n"));
        EXPECT_EQ(fmt::to_string(out), expected) << name;
    }
}

TEST(Writer, names_the_formats_where_another_is_asked_for) {
    EXPECT_EQ(parse_output_format("xml").error().message, "\"xml\" is none of table, json, ndjson, wide and csv");
    EXPECT_EQ(output_formats_text(),
              "table (on a terminal), json (elsewhere), ndjson, wide (a table with all columns) or csv (of lists)");
}

}  // namespace writer_test
}  // namespace headgate::cli
