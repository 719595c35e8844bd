// What shells complete: the checked-in scripts, and that they know what there is to know. tests/documents has shells
// try them.
#include "cli/completion.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "headgate/ended_flow.h"
#include "headgate/flow_query.h"

#include "cli/flow_writer.h"
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

/// Whether all choices are understood, and how many they are.
template <typename Parse>
std::size_t understood(std::string_view name, Parse parse) {
    const auto choices = choices_of(name);
    for (const auto& choice : choices)
        EXPECT_TRUE(parse(choice)) << name << " " << choice;
    return choices.size();
}

TEST(Completion, is_checked_in_as_the_program_writes_it) {
    EXPECT_EQ(text_of("packaging/completion/headgate.bash"), bash_completion(describe_command_line()))
        << "headgate completion bash >packaging/completion/headgate.bash";
    EXPECT_EQ(text_of("packaging/completion/_headgate"), zsh_completion(describe_command_line()))
        << "headgate completion zsh >packaging/completion/_headgate";
}

TEST(Completion, every_value_can_be_completed_but_those_that_only_their_user_knows) {
    std::set<std::string> unknown;
    for (const auto& argument : all_arguments())
        if (!argument.value.empty() && argument.hint == ValueHint{}) unknown.insert(argument.name);
    EXPECT_EQ(unknown, (std::set<std::string>{"--destination", "--destination-port", "--filter", "--limit", "--lines",
                                              "--mark", "--max-flows", "--min-age", "--min-bytes", "--source",
                                              "--source-port", "--zone"}));
}

TEST(Completion, choices_are_understood) {
    EXPECT_EQ(understood("--output", [](const auto& text) { return parse_name<cli::OutputFormat>(text).has_value(); }),
              3U);
    EXPECT_EQ(
        understood("--state", [](const auto& text) { return parse_name_in_any_case<StateScope>(text).has_value(); }),
        5U);
    EXPECT_EQ(understood("--match", [](const auto& text) { return parse_name<MatchSide>(text).has_value(); }), 3U);
    EXPECT_EQ(
        understood("--reason", [](const auto& text) { return parse_name_in_any_case<EndReason>(text).has_value(); }),
        4U);
    EXPECT_GE(understood("--protocol", [](const auto& text) { return parse_protocol(text).has_value(); }), 10U);
}

TEST(Completion, what_is_hidden_from_people_is_not_told) {
    for (const auto& script : {bash_completion(describe_command_line()), zsh_completion(describe_command_line())})
        EXPECT_EQ(script.find("KIND"), std::string::npos);
    for (const auto& command : describe_command_line().commands)
        EXPECT_NE(command.name, "candidates");
}

TEST(Completion, an_argument_means_the_same_wherever_it_is) {
    std::map<std::string, ValueHint> hints;
    for (const auto& argument : all_arguments()) {
        const auto [first, is_new] = hints.emplace(argument.name, argument.hint);
        EXPECT_TRUE(is_new || first->second == argument.hint) << argument.name;
    }
}

}  // namespace completion_test
}  // namespace headgate::cli
