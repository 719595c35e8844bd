// SPDX-License-Identifier: GPL-2.0-or-later
// The manual pages must document exactly the commands, options and keys that headgate accepts.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "cli/command_description.h"
#include "config/load.h"
#include "http/access/credentials.h"
#include "midstream/policy_file.h"
#include "support/example_text.h"
#include "tools/documents.h"

namespace headgate::cli {
namespace manual_test {

using namespace headgate::testing;
using Words = std::set<std::string>;

std::vector<std::string> page_lines(const std::string& page) {
    std::vector<std::string> lines;
    std::istringstream text{text_of("packaging/man/" + page)};
    for (std::string line; std::getline(text, line);)
        lines.push_back(line);
    return lines;
}

/// The options that a page lists, with their values as in `--output FORMAT`, by section (`.Ss` or `.Sh`). Of two names
/// of an option the last one.
std::map<std::string, Words> options_by_part(const std::string& page) {
    static const std::regex item{R"(\.It (?:Fl \S+ , )?Fl -(\S+)( Ar (\S+))?)"};
    std::map<std::string, Words> options;
    std::string part;
    std::smatch found;
    for (const auto& line : page_lines(page)) {
        if (line.starts_with(".Ss ") || line.starts_with(".Sh ")) {
            part = line.substr(4, line.find(" Ar ") - 4);
            options.emplace(part, Words{});
        } else if (std::regex_match(line, found, item) && found.str(1) != "help") {
            options[part].insert("--" + found.str(1) + (found[3].matched ? " " + found.str(3) : ""));
        }
    }
    return options;
}

/// The options of each command, except `--help`, which all of them have.
void collect_options(const CommandDescription& command, const std::string& path,
                     std::map<std::string, Words>& options) {
    auto& own = options[path];
    for (const auto& option : command.options)
        if (option.name != "--help") own.insert(option.name + (option.value.empty() ? "" : " " + option.value));
    for (const auto& each : command.commands)
        collect_options(each, path.empty() ? each.name : path + " " + each.name, options);
}

std::map<std::string, Words> options_by_command() {
    std::map<std::string, Words> options;
    collect_options(describe_command_line(), "", options);
    return options;
}

Words all_of(const std::map<std::string, Words>& groups) {
    Words all;
    for (const auto& [name, words] : groups)
        all.insert(words.begin(), words.end());
    return all;
}

/// The literal blocks of a page, without roff escapes.
std::vector<std::string> literal_blocks(const std::string& page) {
    std::vector<std::string> blocks;
    bool inside = false;
    for (const auto& line : page_lines(page)) {
        if (line.starts_with(".Bd -literal")) blocks.emplace_back();
        if (line.starts_with(".Bd") || line == ".Ed") {
            inside = line != ".Ed";
        } else if (inside) {
            blocks.back() += line + "\n";
        }
    }
    return blocks;
}

TEST(Manual, of_the_configuration_is_checked_in_as_it_is_written) {
    EXPECT_EQ(text_of("packaging/man/headgate.yaml.5"),
              tools::configuration_manual(text_of("tools/headgate.yaml.5.in")))
        << "cmake --build build/release --target update_documents";
}

TEST(Manual, of_the_configuration_shows_examples_that_are_right) {
    const auto examples = literal_blocks("headgate.yaml.5");
    ASSERT_EQ(examples.size(), 2U);
    const auto configuration = config::parse_configuration(examples[0], "example");
    EXPECT_TRUE(configuration) << configuration.error().message;
    const auto credentials = http::access::parse_credentials(examples[1], "example");
    EXPECT_TRUE(credentials) << credentials.error().message;
}

TEST(Manual, of_the_command_line_has_every_option_and_no_other) {
    EXPECT_EQ(all_of(options_by_part("headgate.1")), all_of(options_by_command()));
}

TEST(Manual, of_the_command_line_has_every_command_with_what_it_alone_takes) {
    const auto commands = options_by_command();
    const auto parts = options_by_part("headgate.1");
    for (const auto& [command, options] : commands) {
        const Words groups{"", "operations", "policy", "quarantine"};
        if (groups.contains(command)) continue;
        ASSERT_TRUE(parts.contains(command)) << command;
        for (const auto& option : options) {
            const auto takes_it = [&](const auto& each) { return each.second.contains(option); };
            if (std::ranges::count_if(commands, takes_it) > 1) continue;
            EXPECT_TRUE(parts.at(command).contains(option)) << command << " " << option;
        }
    }
}

TEST(Manual, of_the_command_line_has_the_other_names_of_options) {
    const auto text = text_of("packaging/man/headgate.1");
    for (const auto& command : describe_command_line().commands) {
        for (const auto& option : command.options) {
            for (const auto& name : option.other_names) {
                const auto item = fmt::format(".It Fl {} , Fl {}", name.substr(1), option.name.substr(1));
                const bool is_there = text.find(item) != std::string::npos;
                EXPECT_TRUE(is_there || option.name == "--help") << item;
            }
        }
    }
}

TEST(Manual, of_policies_is_checked_in_as_it_is_written) {
    EXPECT_EQ(text_of("packaging/man/headgate-policy.5"), tools::policy_manual(text_of("tools/headgate-policy.5.in")))
        << "cmake --build build/release --target update_documents";
    EXPECT_EQ(text_of("docs/policy-files.md"), tools::policy_reference())
        << "cmake --build build/release --target update_documents";
}

TEST(Manual, of_policies_shows_a_policy_that_is_right) {
    const auto examples = literal_blocks("headgate-policy.5");
    ASSERT_EQ(examples.size(), 2U);
    const auto policy = midstream::parse_policy(examples[0], "strict", "example");
    EXPECT_TRUE(policy) << policy.error().message;
}

}  // namespace manual_test
}  // namespace headgate::cli
