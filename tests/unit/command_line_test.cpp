// SPDX-License-Identifier: GPL-2.0-or-later
// What the command line itself says: help, examples, versions, and words that it does not know.
#include <gtest/gtest.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/cli.h"
#include "cli/command_tree.h"
#include "gateway/version.h"

namespace headgate::cli {
namespace command_line_test {

struct Told {
    int status = 0;
    std::string out;
    std::string err;
};

Told run(std::vector<const char*> words) {
    words.insert(words.begin(), "headgate");
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int status = cli::run(static_cast<int>(words.size()), words.data());
    return {status, ::testing::internal::GetCapturedStdout(), ::testing::internal::GetCapturedStderr()};
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

/// The command lines of a footer, without their remarks.
std::vector<std::string> examples_of(const CLI::App& command) {
    std::vector<std::string> examples;
    std::istringstream text{command.get_footer()};
    for (std::string line; std::getline(text, line);) {
        if (!line.starts_with("  headgate")) continue;
        auto example = line.substr(2, line.find(" # ") - 2);
        examples.push_back(example.substr(0, example.find(" > ")));
    }
    return examples;
}

void expect_examples(const CLI::App& command) {
    const auto examples = examples_of(command);
    EXPECT_FALSE(examples.empty()) << command.get_name();
    for (const auto& example : examples) {
        CommandTree fresh;
        EXPECT_NO_THROW(fresh.app().parse(example, true)) << example;
    }
    for (const auto* each : command.get_subcommands([](const CLI::App* one) { return !one->get_group().empty(); }))
        expect_examples(*each);
}

TEST(CommandLine, ends_the_help_of_each_command_with_examples_that_can_be_parsed) {
    CommandTree tree;
    for (const auto* each : tree.app().get_subcommands([](const CLI::App* one) { return !one->get_group().empty(); }))
        expect_examples(*each);
}

TEST(CommandLine, shows_an_overview_with_three_examples_to_who_names_no_command) {
    const auto told = run({});
    EXPECT_EQ(told.status, 2);
    EXPECT_EQ(told.out, "");
    EXPECT_TRUE(contains(told.err, "  headgate capture "));
    EXPECT_TRUE(contains(told.err, "  headgate flush "));
    EXPECT_TRUE(contains(told.err, "  headgate log "));
    EXPECT_TRUE(contains(told.err, "Commands: capture, flush, "));
}

TEST(CommandLine, says_its_version) {
    EXPECT_EQ(run({"--version"}).out, fmt::format("headgate {}\n", gateway::kVersion));
    EXPECT_EQ(run({"version"}).out, run({"--version"}).out);
}

TEST(CommandLine, shows_the_help_of_a_command) {
    const auto of_list = run({"help", "operations", "list"});
    EXPECT_EQ(of_list.status, 0);
    EXPECT_TRUE(contains(of_list.out, "Usage: headgate operations list")) << of_list.out;
    EXPECT_TRUE(contains(of_list.out, "Examples:\n  headgate operations list")) << of_list.out;
    EXPECT_TRUE(contains(run({"help"}).out, "capture"));
    EXPECT_EQ(run({"help", "captrue"}).err,
              "headgate: \"captrue\" is no command of headgate; did you mean \"capture\"?\n");
    EXPECT_EQ(run({"help", "candidates"}).status, 2) << "hidden";
}

TEST(CommandLine, suggests_what_an_unknown_word_was_meant_to_be) {
    EXPECT_EQ(run({"captrue", "--all"}).err,
              "headgate: \"captrue\" is no command of headgate; did you mean \"capture\"?\n");
    EXPECT_EQ(run({"operations", "lst"}).err,
              "headgate: \"lst\" is no command of headgate operations; did you mean \"list\"?\n");
    EXPECT_EQ(run({"capture", "--al"}).err,
              "headgate: --al: headgate capture has no such option; did you mean \"--all\"?\n");
    EXPECT_EQ(run({"capture", "--colour"}).err, "headgate: --colour: headgate capture has no such option\n");
    EXPECT_EQ(run({"explode"}).err, "headgate: \"explode\" is no command of headgate\n");
    EXPECT_EQ(run({"version", "unexpected"}).err,
              "headgate: \"unexpected\" was not expected behind headgate version\n");
    EXPECT_EQ(run({"operations"}).status, 2);
}

TEST(CommandLine, refuses_a_column_that_a_list_does_not_have_before_anything_is_done) {
    EXPECT_EQ(run({"policy", "list", "--columns", "name,acton"}).err,
              "headgate: --columns: \"acton\" is none of name, action, scope, hooks, priority, file; did you mean "
              "\"action\"?\n");
    EXPECT_EQ(run({"policy", "list", "--sort", "size"}).status, 2);
    EXPECT_EQ(run({"policy", "list", "--sort", "name:up"}).err, "headgate: --sort: \"up\" is neither asc nor desc\n");
    EXPECT_EQ(run({"policy", "list", "--columns", "name", "--json"}).err,
              "headgate: --columns: for a table or CSV; json has keys, all of them\n");
    EXPECT_EQ(run({"policy", "show", "drop", "-o", "csv"}).err,
              "headgate: --output: csv is for lists; this command has none\n");
}

TEST(CommandLine, takes_lists_and_services_where_one_filter_has_one_value) {
    EXPECT_TRUE(contains(run({"capture", "--dport", "70000"}).err, "--destination-port: 70000 is above 65535"));
    EXPECT_TRUE(
        contains(run({"capture", "--dport", "443,nonsense"}).err, "--destination-port: \"nonsense\" is not a port"));
    EXPECT_TRUE(contains(run({"capture", "--dport", "443,"}).err, "--destination-port: \"\" is not a port"));
    EXPECT_TRUE(contains(run({"capture", "-s", "10.0.0.1,10.0.0.2,10.0.0.3", "--dport", "1,2,3,4,5,6,7"}).err,
                         "--destination-port: its list makes 21 filters; an operation takes 20 at most"));
    EXPECT_TRUE(contains(run({"capture", "-p", "tcp,any"}).err, "--protocol: ANY stands alone"));
    EXPECT_TRUE(contains(run({"capture", "-p", "tcp", "--min-age", "soon"}).err,
                         "--min-age: \"soon\" is not a duration such as 90s, 5m or 12h"));
}

TEST(CommandLine, does_not_go_on_without_the_agent_whose_socket_was_named) {
    const auto told = run({"--socket", "/nowhere/headgate.sock", "operations", "list"});
    EXPECT_EQ(told.status, 1);
    EXPECT_EQ(
        told.err,
        "headgate: --socket: no agent answers at /nowhere/headgate.sock; without --socket, the command does the work "
        "itself\n");
}

}  // namespace command_line_test
}  // namespace headgate::cli
