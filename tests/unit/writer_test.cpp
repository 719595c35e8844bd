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

TEST(Writer, counts_rows_in_place_of_writing_them) {
    for (const auto& [name, expected] : {std::pair{"table", "2\n"}, {"csv", "2\n"}, {"json", "{\"count\":2}\n"}}) {
        auto choice = choice_of(name);
        choice.show = OutputChoice::Show::Count;
        EXPECT_EQ(written(choice, kFruits, kHeading, {.text = text("below\n")}), expected);
    }
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
