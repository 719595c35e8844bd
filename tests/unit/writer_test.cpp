// SPDX-License-Identifier: GPL-2.0-or-later
// The formats of output: what each makes of the same rows and documents.
#include "cli/writer.h"

#include <gtest/gtest.h>

namespace headgate::cli {
namespace writer_test {

struct Fruit {
    std::string name;
    int count;
};

Append text(std::string_view what) {
    return [what](fmt::memory_buffer& out) { out.append(what); };
}

std::unique_ptr<Format> format(std::string_view name) {
    return parse_output_format(name).value().make();
}

std::string written(std::string_view name, const std::vector<Fruit>& rows, const Heading& heading,
                    const Ending& ending) {
    fmt::memory_buffer out;
    const auto form = format(name);
    form->begin(out, heading);
    for (const auto& each : rows) {
        const auto append_json = [&](fmt::memory_buffer& json) {
            fmt::format_to(std::back_inserter(json), "{{\"{}\":{}}}", each.name, each.count);
        };
        const auto cells = [&] { return Cells{each.name, fmt::format("{}", each.count)}; };
        form->row(out, FunctionRow{append_json, cells});
    }
    form->end(out, ending);
    return fmt::to_string(out);
}

const Heading kHeading{.list = "fruits", .columns = {{"NAME"}, {"N", Column::Align::Right}}};
const std::vector<Fruit> kFruits{{"apple", 1}, {"pear", 12}};

TEST(Writer, writes_rows_in_each_format) {
    EXPECT_EQ(written("table", kFruits, kHeading, {}), "NAME    N\napple   1\npear   12\n");
    EXPECT_EQ(written("json", kFruits, kHeading, {}), "{\"fruits\":[\n{\"apple\":1},\n{\"pear\":12}]}\n");
    EXPECT_EQ(written("ndjson", kFruits, kHeading, {}), "{\"apple\":1}\n{\"pear\":12}\n");
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
    heading.columns.front().when_empty = Column::WhenEmpty::Show;
    heading.live = true;
    fmt::memory_buffer out;
    format("table")->begin(out, heading);
    EXPECT_EQ(fmt::to_string(out), "NAME\n");
}

TEST(Writer, writes_a_document_as_text_or_as_json) {
    for (const auto& [name, expected] : {std::pair{"table", "text\n"}, {"json", "{}\n"}, {"ndjson", "{}\n"}}) {
        fmt::memory_buffer out;
        format(name)->document(out, text("{}"), text("text\n"));
        EXPECT_EQ(fmt::to_string(out), expected) << name;
    }
}

TEST(Writer, names_the_formats_where_another_is_asked_for) {
    EXPECT_EQ(parse_output_format("xml").error().message, "\"xml\" is none of table, json and ndjson");
    EXPECT_EQ(output_formats_text(), "table (on a terminal), json (elsewhere) or ndjson");
}

}  // namespace writer_test
}  // namespace headgate::cli
