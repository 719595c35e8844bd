// SPDX-License-Identifier: GPL-2.0-or-later
#include "midstream/change_text.h"

#include <gtest/gtest.h>

#include "midstream/ruleset_text.h"

namespace headgate::midstream {
namespace change_text_test {

StreamExceptionPolicy some_policy() {
    StreamExceptionPolicy policy;
    policy.name = "of-ours";
    return policy;
}

std::vector<TableChain> chains(const std::vector<std::string>& names) {
    std::vector<TableChain> result;
    for (const auto& name : names)
        result.emplace_back().name = name;
    return result;
}

TEST(PolicyChange, takes_the_first_edition_that_is_free) {
    EXPECT_EQ(free_generation({}), 1U);
    EXPECT_EQ(free_generation(chains({"in_force", "forward_1", "exception_1"})), 2U);
    EXPECT_EQ(free_generation(chains({"in_force", "forward_2", "exception_2"})), 1U);
}

TEST(PolicyChange, takes_no_edition_that_a_killed_change_has_left) {
    EXPECT_EQ(free_generation(chains({"in_force", "forward_1", "forward_2"})), 3U);
}

TEST(PolicyChange, uses_no_generation_that_the_chain_of_another_program_could_have) {
    EXPECT_EQ(free_generation(chains({"of_the_operator_1"})), 2U);
}

TEST(PolicyChange, of_a_version_without_editions_is_no_hindrance) {
    EXPECT_EQ(free_generation(chains({"in_force", "forward", "forward_echo_ipv4"})), 1U);
}

TEST(PolicyAddition, to_nothing_is_the_ruleset_alone) {
    EXPECT_EQ(addition_text(some_policy(), {}), "table inet headgate {\n" + ruleset_text(some_policy(), 1) + "}\n");
}

TEST(PolicyAddition, touches_nothing_that_is_there_but_the_note) {
    EXPECT_EQ(addition_text(some_policy(), chains({"in_force", "forward_1", "of_the_operator"})),
              "flush chain inet headgate in_force\n"
              "delete chain inet headgate in_force\n"
              "table inet headgate {\n" +
                  ruleset_text(some_policy(), 2) + "}\n");
}

TEST(PolicyRemoval, takes_whatever_was_there_and_leaves_the_note) {
    EXPECT_EQ(removal_text(chains({"forward_1", "in_force", "of_the_operator"}), {"flushed_tuple_original_ipv4_9"}),
              "flush chain inet headgate forward_1\n"
              "flush chain inet headgate of_the_operator\n"
              "delete chain inet headgate forward_1\n"
              "delete chain inet headgate of_the_operator\n"
              "delete set inet headgate flushed_tuple_original_ipv4_9\n");
}

TEST(PolicyRemoval, of_nothing_is_nothing) {
    EXPECT_EQ(removal_text(chains({"in_force"}), {}), "");
}

}  // namespace change_text_test
}  // namespace headgate::midstream
