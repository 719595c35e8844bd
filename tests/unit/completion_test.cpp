// SPDX-License-Identifier: GPL-2.0-or-later
// The candidates that shells are offered are complete. tests/documents runs the scripts in shells.
#include "cli/completion.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "headgate/ended_flow.h"
#include "headgate/flow_query.h"

#include "cli/completion_scripts.h"
#include "cli/writer.h"
#include "support/example_text.h"

namespace headgate::cli {
namespace completion_test {

using namespace headgate::testing;

void collect_arguments(const CommandDescription& command, std::vector<ArgumentDescription>& arguments) {
    std::ranges::copy(command.options, std::back_inserter(arguments));
    if (command.operand) arguments.push_back(*command.operand);
    for (const auto& each : command.commands)
        collect_arguments(each, arguments);
}

std::vector<ArgumentDescription> all_arguments() {
    std::vector<ArgumentDescription> arguments;
    collect_arguments(describe_command_line(), arguments);
    return arguments;
}

std::vector<std::string> choices_of(std::string_view name) {
    const auto arguments = all_arguments();
    const auto found = std::ranges::find(arguments, name, &ArgumentDescription::name);
    return found == arguments.end() ? std::vector<std::string>{} : found->hint.choices;
}

/// Expects that `parse` accepts every choice; returns their number.
template <typename Parse>
std::size_t understood(std::string_view name, Parse parse) {
    const auto choices = choices_of(name);
    for (const auto& choice : choices)
        EXPECT_TRUE(parse(choice)) << name << " " << choice;
    return choices.size();
}

/// What is offered for the last of these words.
Completion completed(std::vector<std::string> words) {
    words.insert(words.begin(), "headgate");
    return complete(describe_command_line(), words, words.size() - 1);
}

std::set<std::string> offered(std::vector<std::string> words) {
    std::set<std::string> names;
    for (const auto& [name, meaning] : completed(std::move(words)).candidates)
        names.insert(name);
    return names;
}

TEST(Completion, is_printed_as_it_is_checked_in) {
    EXPECT_EQ(text_of("packaging/completion/headgate.bash"), bash_completion());
    EXPECT_EQ(text_of("packaging/completion/_headgate"), zsh_completion());
}

TEST(Completion, offers_commands_with_their_purpose) {
    EXPECT_EQ(offered({"operations", ""}), (std::set<std::string>{"list", "results", "show"}));
    EXPECT_EQ(completed({""}).candidates.at("version"), "Show headgate's version");
}

TEST(Completion, offers_the_options_of_a_command_that_are_not_there_yet_or_may_be_repeated) {
    EXPECT_EQ(offered({"version", "-"}),
              (std::set<std::string>{"--config", "--help", "--socket", "--state-dir", "--version"}));
    EXPECT_EQ(offered({"version", "--config", "x", "--socket=y", "-"}),
              (std::set<std::string>{"--help", "--state-dir", "--version"}));
    const auto of_capture = offered({"capture", "--protocol", "tcp", "--all", ""});
    EXPECT_TRUE(of_capture.contains("--protocol"));
    EXPECT_FALSE(of_capture.contains("--all"));
}

TEST(Completion, offers_values_behind_a_space_or_an_equals_sign_as_shells_split_it) {
    const std::set<std::string> sides{"any", "original", "translated"};
    EXPECT_EQ(offered({"capture", "--match", ""}), sides);
    EXPECT_EQ(offered({"capture", "--match=o"}), sides);
    EXPECT_EQ(offered({"capture", "--match", "="}), sides);
    EXPECT_EQ(offered({"capture", "--match", "=", "o"}), sides);
    EXPECT_EQ(offered({"capture", "--nonsense=o"}), std::set<std::string>{});
    EXPECT_EQ(offered({"completion", ""}), (std::set<std::string>{"bash", "zsh"}));
    EXPECT_FALSE(offered({"completion", "bash", ""}).contains("zsh"));
}

TEST(Completion, offers_the_values_of_an_option_by_each_of_its_names) {
    EXPECT_EQ(offered({"capture", "-o", ""}), (std::set<std::string>{"csv", "json", "ndjson", "table", "wide"}));
    EXPECT_EQ(offered({"capture", "-p", "tcp", "-o", ""}), offered({"capture", "--output", ""}));
}

TEST(Completion, offers_the_parts_of_a_filter_and_behind_protocol_their_names) {
    EXPECT_TRUE(offered({"capture", "--filter", ""}).contains("destination-port="));
    EXPECT_TRUE(offered({"capture", "--filter", "sou"}).contains("source="));
    const auto further = offered({"capture", "--filter", "source=10.0.0.0/8,dest"});
    EXPECT_TRUE(further.contains("10.0.0.0/8,destination="));
    EXPECT_FALSE(further.contains("10.0.0.0/8,source=")) << "it has a source";
    EXPECT_EQ(offered({"capture", "--filter", "source", "=", "10.0.0.0/8,dest"}), further) << "as bash splits it";
    EXPECT_EQ(offered({"capture", "--filter=source=10.0.0.0/8,dest"}), further);
    EXPECT_TRUE(offered({"capture", "--filter", "source=10.0.0.0/8,protocol=t"}).contains("tcp"));
    EXPECT_TRUE(offered({"capture", "--filter", "source=10."}).empty());
}

TEST(Completion, offers_parts_of_a_filter_behind_a_colon_too_where_bash_splits_the_word) {
    const auto whole = offered({"capture", "--filter", "source=fd00::1,dest"});
    EXPECT_TRUE(whole.contains("fd00::1,destination=")) << "zsh passes the whole word";
    std::set<std::string> parts;
    for (const auto& each : whole)
        parts.insert(each.substr(std::string_view{"fd00::"}.size()));
    EXPECT_EQ(offered({"capture", "--filter", "source", "=", "fd00", "::", "1,dest"}), parts);
    EXPECT_EQ(offered({"capture", "--filter", "=", "source", "=", "fd00", "::", "1,dest"}), parts);
    EXPECT_TRUE(offered({"capture", "--filter", "source", "=::", "1,dest"}).contains("1,destination="));
    EXPECT_TRUE(
        offered({"capture", "--filter", "destination-port", "=", "80", ":", "90,protocol", "=", "t"}).contains("tcp"));
    EXPECT_TRUE(offered({"capture", "--filter", "source", "=", "fd00", ":"}).empty());
    EXPECT_EQ(completed({"policy", "apply", "--config", "a", ":", "b", "./x"}).paths, ValueHint::Paths::Files)
        << "a value in several words is one, and no operand";
}

TEST(Completion, offers_commands_to_help) {
    EXPECT_TRUE(offered({"help", ""}).contains("flush"));
}

TEST(Completion, offers_files_and_folders_where_one_is_wanted) {
    EXPECT_EQ(completed({"--config", ""}).paths, ValueHint::Paths::Files);
    EXPECT_EQ(completed({"capture", "--state-dir=x"}).paths, ValueHint::Paths::Folders);
    EXPECT_EQ(completed({"policy", "apply", "./x"}).paths, ValueHint::Paths::Files);
    EXPECT_EQ(completed({"capture", "--source", ""}).paths, ValueHint::Paths::None);
}

TEST(Completion, looks_at_words_behind_the_cursor_too) {
    const std::vector<std::string> words{"headgate", "log", "", "--follow"};
    EXPECT_FALSE(complete(describe_command_line(), words, 2).candidates.contains("--follow"));
    EXPECT_EQ(complete(describe_command_line(), words, 9).candidates.count("--lines"), 1U) << "there is no such word";
}

TEST(Completion, every_value_can_be_completed_but_those_that_only_their_user_knows) {
    std::set<std::string> unknown;
    for (const auto& argument : all_arguments())
        if (!argument.value.empty() && argument.hint == ValueHint{}) unknown.insert(argument.name);
    EXPECT_EQ(unknown, (std::set<std::string>{"--by",
                                              "--columns",
                                              "--destination",
                                              "--destination-port",
                                              "--for",
                                              "--limit",
                                              "--lines",
                                              "--mark",
                                              "--max-flows",
                                              "--min-age",
                                              "--min-bytes",
                                              "--min-packets",
                                              "--reason",
                                              "--since",
                                              "--sort",
                                              "--source",
                                              "--source-port",
                                              "--translated-destination",
                                              "--translated-source",
                                              "--until",
                                              "--zone"}));
}

TEST(Completion, choices_are_understood) {
    EXPECT_EQ(understood("--output", [](const auto& text) { return parse_output_format(text).has_value(); }), 5U);
    EXPECT_EQ(
        understood("--state", [](const auto& text) { return parse_name_in_any_case<StateScope>(text).has_value(); }),
        5U);
    const auto is_status = [](const auto& text) {
        return text == "refused" || text == "declined" || parse_name_in_any_case<OperationStatus>(text);
    };
    EXPECT_EQ(understood("--status", is_status), 6U);
    EXPECT_EQ(understood("--match", [](const auto& text) { return parse_name<MatchSide>(text).has_value(); }), 3U);
    EXPECT_EQ(
        understood("--reason", [](const auto& text) { return parse_name_in_any_case<EndReason>(text).has_value(); }),
        4U);
    EXPECT_GE(understood("--protocol", [](const auto& text) { return parse_protocol(text).has_value(); }), 10U);
}

TEST(Completion, hidden_commands_are_not_completed) {
    EXPECT_FALSE(offered({""}).contains("candidates"));
    for (const auto& command : describe_command_line().commands)
        EXPECT_NE(command.name, "candidates");
}

TEST(Completion, an_argument_means_the_same_wherever_it_has_the_same_value) {
    std::map<std::string, ValueHint> hints;
    for (const auto& argument : all_arguments()) {
        const auto [first, is_new] = hints.emplace(argument.name + " " + argument.value, argument.hint);
        EXPECT_TRUE(is_new || first->second == argument.hint) << argument.name;
    }
}

}  // namespace completion_test
}  // namespace headgate::cli
