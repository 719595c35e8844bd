// SPDX-License-Identifier: GPL-2.0-or-later
// What the command line itself says: help, examples, versions, and words that it does not know.
#include <gtest/gtest.h>
#include <netdb.h>

#include <filesystem>
#include <sstream>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "headgate/judge.h"

#include "cli/arguments.h"
#include "cli/cli.h"
#include "cli/command_tree.h"
#include "cli/exit_code.h"
#include "cli/help_formatter.h"
#include "cli/output_arguments.h"
#include "gateway/version.h"
#include "operations/operation_request.h"
#include "support/temporary_folder.h"

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
    expect_examples(tree.app());
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
    EXPECT_TRUE(contains(run({"help"}).out, "Examples:\n  headgate capture"));
    EXPECT_EQ(run({"help"}).out, run({"--help"}).out);
    EXPECT_EQ(run({"help", "captrue"}).err,
              "headgate: \"captrue\" is no command of headgate; did you mean \"capture\"?\n");
    EXPECT_EQ(run({"help", "candidates"}).status, 2) << "hidden";
}

TEST(CommandLine, wraps_help_at_the_width_of_the_terminal) {
    for (const std::size_t width : {80U, 100U, 120U, 200U}) {
        CommandTree tree;
        for (auto* command : {&tree.app(), tree.app().get_subcommand("capture")}) {
            command->formatter(std::make_shared<HelpFormatter>(width));
            std::istringstream help{command->help()};
            for (std::string line; std::getline(help, line);) {
                EXPECT_LE(line.size(), width) << line;
                EXPECT_FALSE(line.ends_with(' ')) << line;
            }
        }
    }
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
}

TEST(CommandLine, suggests_a_service) {
    if (::getservbyname("https", "tcp") == nullptr) GTEST_SKIP() << "this machine knows no services";
    EXPECT_TRUE(contains(run({"capture", "--dport", "htps"}).err, "or ANY; did you mean \"https\"?"));
}

TEST(CommandLine, says_which_form_an_id_has) {
    for (const auto* written : {"d", "nothing", "4f7b2c1e-9a60-4d0f-8b8e-2b1f0c9d7e31-1"})
        EXPECT_EQ(
            run({"operations", "show", written}).err,
            fmt::format("headgate: \"{}\" is neither an operation's id nor the first 4 or more characters of one\n",
                        written));
}

TEST(CommandLine, names_the_commands_of_which_one_is_missing) {
    const auto told = run({"operations"});
    EXPECT_EQ(told.status, 2);
    EXPECT_EQ(told.err, "headgate: headgate operations requires a command: list, show, results\n");
    EXPECT_TRUE(contains(run({"--config", "x.yaml"}).err, "headgate: headgate requires a command: capture, flush, "));
    EXPECT_FALSE(contains(run({"--config"}).err, "requires a command")) << "its value is missing";
    EXPECT_EQ(run({"operations", "show"}).err, "headgate: ID is required\n") << "a value is missing, and no command";
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
    EXPECT_TRUE(contains(run({"capture", "--dport", "70000:https"}).err, "--destination-port: 70000 is above 65535"));
    EXPECT_TRUE(contains(run({"capture", "--dport", "https:1"}).err,
                         "--destination-port: 443:1 ends before it begins; the range is 1:443"));
    EXPECT_TRUE(contains(run({"capture", "--filter", "destination-port=https"}).err, "\"https\" is not a port"))
        << "names of services are for single arguments";
    EXPECT_TRUE(contains(run({"capture", "-p", "tcp,any"}).err, "--protocol: ANY stands alone"));
    EXPECT_TRUE(contains(run({"capture", "-p", "tcp", "--min-age", "soon"}).err,
                         "--min-age: \"soon\" is not a duration such as 90s, 5m or 12h"));
    EXPECT_TRUE(contains(run({"capture", "-p", "tcp", "--min-age", "50000d"}).err,
                         "--min-age: 50000d is above 4294967295 seconds"));
}

TEST(CommandLine, combines_addresses_of_one_family_from_lists_of_both) {
    const auto filters = [](const std::string& sources, const std::string& destinations,
                            const std::string& ports = {}) {
        TupleArguments given;
        given.parts[0] = sources;
        given.parts[1] = destinations;
        if (!ports.empty()) given.parts[3] = ports;
        return given.read();
    };
    const auto both = filters("10.0.0.0/8,2001:db8::/32", "10.1.0.0/16,2001:db8:1::/48");
    ASSERT_TRUE(both) << both.error().message;
    ASSERT_EQ(both->size(), 2U);
    EXPECT_EQ(to_string(both->front()), "source=10.0.0.0/8,destination=10.1.0.0/16");
    EXPECT_EQ(to_string(both->back()), "source=2001:db8::/32,destination=2001:db8:1::/48");
    EXPECT_EQ(filters("10.0.0.0/8,10.1.0.1,2001:db8::1,2001:db8::2", "10.0.0.1,2001:db8::/32", "1,2,3,4,5")->size(),
              20U)
        << "the limit is that of the filters which remain";
    EXPECT_EQ(filters("10.0.0.0/8", "2001:db8::/32").error().message,
              "--destination: 2001:db8::/32 is not of the same family as the source, 10.0.0.0/8");
}

TEST(CommandLine, does_not_guess_whether_a_file_or_an_operation_is_meant) {
    const testing::TemporaryFolder folder;
    const auto before = std::filesystem::current_path();
    folder.write("20261129", "");
    std::filesystem::current_path(folder.path(""));
    const auto told = run({"flush", "--from-capture", "20261129", "--yes"});
    std::filesystem::current_path(before);
    EXPECT_EQ(told.status, 2);
    EXPECT_TRUE(contains(told.err,
                         "--from-capture: 20261129 names a file and may be an id: write ./20261129 for the file, or "
                         "the whole id"))
        << told.err;
}

TEST(CommandLine, gives_programs_whole_ids_and_times) {
    const auto form = [](const std::string& words) {
        ::testing::internal::CaptureStdout();  // which is then no terminal
        CLI::App app;
        OutputArguments output{{{"ID"}}};
        output.add_to(app);
        app.parse(words, false);
        const auto choice = output.choice();
        ::testing::internal::GetCapturedStdout();
        return choice.value().layout.style.form;
    };
    EXPECT_EQ(form("--columns id"), CellStyle::Form::Whole);
    EXPECT_EQ(form("--no-header"), CellStyle::Form::Whole);
    EXPECT_EQ(form("-o wide"), CellStyle::Form::Whole);
    EXPECT_EQ(form("-o table"), CellStyle::Form::Short);
}

TEST(CommandLine, exits_with_3_if_there_was_no_flow_to_end) {
    FlowOperation flush;
    flush.type = OperationType::Flush;
    flush.status = OperationStatus::Completed;
    EXPECT_EQ(exit_code(flush), ExitCode::NothingMatched);
    flush.counts.matched = 2;
    flush.counts.protected_flows = 1;
    EXPECT_EQ(exit_code(flush), ExitCode::Done);
    flush.counts.protected_flows = 2;
    EXPECT_EQ(exit_code(flush), ExitCode::NothingMatched) << "all of them are protected";
}

TEST(CommandLine, exits_with_3_if_the_rules_refuse_no_flow) {
    FlowOperation rematch;
    rematch.type = OperationType::Rematch;
    rematch.status = OperationStatus::Completed;
    rematch.counts.matched = 7;
    rematch.counts.verdicts = {5, 0, 1, 1};
    EXPECT_EQ(exit_code(rematch), ExitCode::NothingMatched) << "it serves as a check before a commit";
    rematch.counts.verdicts = {4, 1, 1, 1};
    EXPECT_EQ(exit_code(rematch), ExitCode::Done);
    rematch.status = OperationStatus::CompletedWithErrors;
    EXPECT_EQ(exit_code(rematch), ExitCode::CompletedWithErrors);
}

TEST(CommandLine, flushes_by_the_rules_in_force_alone) {
    const auto candidate = run({"rematch", "--all", "--ruleset", "new.nft", "--flush"});
    EXPECT_EQ(candidate.status, 2);
    EXPECT_EQ(
        candidate.err,
        "headgate: --ruleset: its flows cannot be flushed while other rules are in force: load it first, with nft "
        "-f new.nft, then headgate rematch --flush\n");
    for (const auto* option : {"--dry-run", "--yes", "--include-translated", "--include-protected"}) {
        EXPECT_EQ(run({"rematch", "--all", option}).err,
                  "headgate: --flush: is missing beside an option that says how flows are ended\n");
    }
    EXPECT_EQ(run({"rematch", "--all", "--show", "refusd"}).err,
              "headgate: --show: \"refusd\" is none of allowed, refused, translated, unknown and all; did you mean "
              "\"refused\"?\n");
    EXPECT_EQ(run({"rematch", "--all", "--flush", "--show", "all"}).status, 2);
    EXPECT_EQ(run({"rematch"}).status, 2) << "no filter means no operation";
    EXPECT_EQ(run({"rematch", "--all", "--ruleset", "/nowhere/new.nft"}).status, 1);
}

TEST(CommandLine, refuses_a_candidate_that_is_too_long) {
    const testing::TemporaryFolder folder;
    const auto file = folder.write("new.nft", std::string(kLongestCandidate + 1, '#'));
    const auto told = run({"rematch", "--all", "--ruleset", file.c_str()});
    EXPECT_EQ(told.status, 2);
    EXPECT_TRUE(contains(told.err, "has more than 4 MiB")) << told.err;
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
