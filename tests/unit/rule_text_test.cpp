// SPDX-License-Identifier: GPL-2.0-or-later
#include "rematch/rule_text.h"

#include <gtest/gtest.h>

#include "rematch/candidate.h"

namespace headgate::testing {
namespace rule_text_test {

TEST(RuleText, of_each_rule_is_found_by_its_handle) {
    const auto texts = rematch::parse_listing(
        "table inet t { # handle 3\n"
        "\tset s { # handle 2\n\t\ttype ipv4_addr\n\t\telements = { 10.0.0.1,\n\t\t\t     10.0.0.2 }\n\t}\n\n"
        "\tchain c { # handle 1\n"
        "\t\tcomment \"of the chain\"\n"
        "\t\ttype filter hook forward priority filter; policy drop;\n"
        "\t\ttcp dport 22 drop comment \"a # handle 4\" # handle 5\n"
        "\t\tip saddr { 10.0.0.1, 10.0.0.2,\n\t\t\t   10.0.0.3 } accept # handle 6\n"
        "\t}\n}\n"
        "table ip6 u { # handle 4\n\tchain d { # handle 1\n\t\tdrop # handle 5\n\t}\n}\n");
    EXPECT_EQ(texts, (rematch::RuleTexts{
                         {{"inet", "t", 5}, "tcp dport 22 drop comment \"a # handle 4\""},
                         {{"inet", "t", 6}, "ip saddr { 10.0.0.1, 10.0.0.2, 10.0.0.3 } accept"},
                         {{"ip6", "u", 5}, "drop"},
                     }));
}

TEST(RuleText, of_a_rule_with_rules_of_its_own_is_left_out) {
    const auto texts = rematch::parse_listing(
        "table inet t { # handle 3\n\tchain c { # handle 1\n"
        "\t\ttcp dport 22 jump {\n\t\t\tdrop # handle 7\n\t\t} # handle 8\n"
        "\t\taccept # handle 9\n\t}\n}\n");
    EXPECT_EQ(texts, (rematch::RuleTexts{{{"inet", "t", 7}, "drop"}, {{"inet", "t", 9}, "accept"}}));
}

TEST(Candidate, may_neither_include_files_nor_name_handles) {
    EXPECT_NE(rematch::objection_to("include \"/etc/passwd\""), "");
    EXPECT_NE(rematch::objection_to("delete rule inet t c handle 5"), "");
    EXPECT_NE(rematch::objection_to("add rule inet t c position 5 drop"), "");
    EXPECT_NE(rematch::objection_to("monitor"), "");
    EXPECT_NE(rematch::objection_to(std::string_view{"\0", 1}), "");
}

TEST(Candidate, may_have_such_words_in_comments_and_quotation_marks) {
    EXPECT_EQ(rematch::objection_to("# include\nadd rule inet t c drop comment \"handle\""), "");
    EXPECT_EQ(rematch::objection_to("add rule inet t c tcp dport 22 reject with tcp reset"), "");
    EXPECT_EQ(rematch::objection_to("add rule inet t c drop comment \"never closed"), "");
}

}  // namespace rule_text_test
}  // namespace headgate::testing
