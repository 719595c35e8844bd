// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/yaml_tree.h"

#include <gtest/gtest.h>

namespace headgate::config {
namespace yaml_tree_test {

std::string error_of(const std::string& text) {
    const auto tree = parse_yaml_tree(text, "x.yaml");
    return tree ? "" : tree.error().message;
}

TEST(YamlTree, a_tab_in_the_indentation_is_called_that) {
    const auto* const error = "x.yaml:2: a tab in the indentation: YAML permits spaces only";
    EXPECT_EQ(error_of("http:\n\tsocket: /a\n"), error);
    EXPECT_EQ(error_of("http:\n  \tsocket: /a\n"), error);
    EXPECT_EQ(error_of("http: {}\n\tregion: a\n"), error);
    EXPECT_EQ(error_of("a: |\n\tb\n"), error);
    EXPECT_EQ(error_of("region:\ta\n"), "") << "after a colon it is a space";
}

TEST(YamlTree, a_wrong_indentation_is_called_that) {
    const auto* const deeper = "wrong indentation: this line is indented deeper than the one above, which has a value";
    EXPECT_EQ(error_of("region: a\n  account: b\n"), fmt::format("x.yaml:2: {}", deeper));
    const auto* const nowhere = "wrong indentation: this line fits into no map and no list above";
    EXPECT_EQ(error_of("http:\n  socket: /a\n\n  # a comment\n   port: 5\n"), fmt::format("x.yaml:5: {}", nowhere));
    EXPECT_EQ(error_of("http:\n    socket: /a\n  port: 5\n"), fmt::format("x.yaml:3: {}", nowhere));
    EXPECT_EQ(error_of("a:\n  - x: 1\n    y: 2\n   z: 3\n"), fmt::format("x.yaml:4: {}", nowhere));
    EXPECT_EQ(error_of("a:\n  - b\n  c: d\n"), fmt::format("x.yaml:3: {}", nowhere));
    const auto* const item = "x.yaml:3: a list item where a key belongs: is its indentation right?";
    EXPECT_EQ(error_of("protected:\n - a\n- b\n"), item);
    EXPECT_EQ(error_of("a: b\nc: d\n- e\n"), item);
}

TEST(YamlTree, a_missing_colon_is_called_that_in_its_line) {
    const auto* const rule = "no colon: after a key stand a colon and a space";
    EXPECT_EQ(error_of("region a\naccount: b\n"), fmt::format("x.yaml:1: {}", rule));
    EXPECT_EQ(error_of("region:a\naccount: b\n"), fmt::format("x.yaml:1: {}", rule));
    EXPECT_EQ(error_of("region: a\naccount\nretention: 5m\n"), fmt::format("x.yaml:2: {}", rule));
    EXPECT_EQ(error_of("http:\n  socket /a\n  port: 5\n"), fmt::format("x.yaml:2: {}", rule));
}

TEST(YamlTree, what_needs_quotes_is_told) {
    EXPECT_EQ(error_of("a: b\nregion: a: b\n"), "x.yaml:2: a second colon in one line: put the value in quotes");
    EXPECT_EQ(error_of("a: @b\n"), "x.yaml:1: a value cannot begin with this character: put the value in quotes");
    EXPECT_EQ(error_of("a: 'b' c\n"),
              "x.yaml:1: something follows the end of the value: put the whole value in quotes");
    EXPECT_EQ(error_of("a: \"\\q\"\n"),
              "x.yaml:1: an escape sequence that YAML does not know: write \\\\ for a backslash, or use single quotes");
}

TEST(YamlTree, an_open_quote_is_told_in_the_line_where_it_begins) {
    for (const auto* text : {"a: b\nlog: \"/x\n", "a: b\nlog: '/x", "a: b\nlog: \"/x\nregion: c\nmore: d\n"})
        EXPECT_EQ(error_of(text), "x.yaml:2: a quote that begins here does not end") << text;
    EXPECT_EQ(error_of("a: \"b\n---\n\"\n"), "x.yaml:2: a quote is still open here: does it end?");
    EXPECT_EQ(error_of("a: b\n...\n"), "");
    EXPECT_EQ(error_of("a: [b, \"c\n"), "x.yaml:1: a quote that begins here does not end");
}

TEST(YamlTree, an_open_bracket_is_told_in_the_line_where_it_begins) {
    EXPECT_EQ(error_of("a: b\nhooks: [a, b\nregion: c\n"), "x.yaml:2: the list that begins with [ does not end with ]");
    EXPECT_EQ(error_of("x: {a: 1\ny: 2\n"), "x.yaml:1: the map that begins with { does not end with }");
    EXPECT_EQ(error_of("hooks: ]\n"), "x.yaml:1: a ] or } without the [ or { that it ends");
    EXPECT_EQ(error_of("protected: - a\n"),
              "x.yaml:1: a list cannot begin in this line: begin each item, with its -, on a line of its own");
}

TEST(YamlTree, what_is_not_plain_yaml_is_told) {
    const auto* const references = "x.yaml:1: anchors and aliases are not understood here; write the value out";
    for (const auto* text : {"a: *\n", "a: *b\n", "a: &\n", "a: &b c\n", "a: &b &c d\n"})
        EXPECT_EQ(error_of(text), references) << text;
    EXPECT_EQ(error_of("a: !<x\n"), "x.yaml:1: tags are not understood here; write the value alone");
    EXPECT_EQ(error_of("%YAML 3.0\n---\na: b\n"), "x.yaml:1: lines that begin with % are not understood here");
    EXPECT_EQ(error_of("a: |x\n  b\n"), "x.yaml:1: after | or > the text begins on the next line");
}

TEST(YamlTree, no_error_quotes_the_text_which_may_be_a_secret) {
    for (const auto* text : {"a: \"\\secret\"\n", "a: *secret\n", "secret\na: b\n", "a: b: secret\n", "a: @secret\n",
                             "a: [secret\n", "a: !<secret\n", "%secret x\n%secret\n- ]\n"}) {
        EXPECT_EQ(error_of(text).find("secret"), std::string::npos) << error_of(text);
    }
}

TEST(YamlTree, windows_line_ends_change_nothing) {
    EXPECT_EQ(error_of("a: b\r\nc: d\r\n"), "");
    EXPECT_EQ(error_of("region a\r\naccount: b\r\n"), "x.yaml:1: no colon: after a key stand a colon and a space");
}

}  // namespace yaml_tree_test
}  // namespace headgate::config
