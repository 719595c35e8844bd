// SPDX-License-Identifier: GPL-2.0-or-later
#include "quarantine/quarantine_text.h"

#include <gtest/gtest.h>

namespace headgate::quarantine {
namespace quarantine_text_test {

using namespace std::chrono_literals;

KeptEntry kept(std::string_view prefix, unsigned layer = 0) {
    KeptEntry entry;
    entry.prefix = parse_prefix(prefix).value();
    entry.until = 100s;
    entry.layer = layer;
    return entry;
}

TEST(QuarantineText, entries_that_do_not_overlap_share_a_layer) {
    const std::vector entries = {kept("10.0.0.0/8"), kept("2001:db8::/32")};
    EXPECT_EQ(free_layer({}, entries[0].prefix), 0U);
    EXPECT_EQ(free_layer(entries, parse_prefix("11.0.0.0/8").value()), 0U);
    EXPECT_EQ(layers_of(entries), 1U);
}

TEST(QuarantineText, an_entry_is_in_the_first_layer_in_which_it_overlaps_none) {
    const std::vector entries = {kept("10.0.0.0/8", 0), kept("10.1.0.0/16", 1), kept("10.1.2.3", 2)};
    EXPECT_EQ(free_layer(entries, parse_prefix("10.2.0.0/16").value()), 1U);
    EXPECT_EQ(free_layer(entries, parse_prefix("10.1.2.4").value()), 2U);
    EXPECT_EQ(free_layer(entries, parse_prefix("10.1.2.0/24").value()), 3U);
    EXPECT_EQ(layers_of(entries), 3U);
}

TEST(QuarantineText, an_element_has_the_time_that_is_left_and_the_action) {
    auto rejected = kept("192.0.2.0/24");
    rejected.action = QuarantineAction::Reject;
    EXPECT_EQ(addition_text(std::vector{kept("192.0.2.7", 1), rejected}, 1500ms),
              "add element inet headgate_quarantine ipv4_0 { 192.0.2.0/24 timeout 98s500ms "
              ": goto rejected }\n"
              "add element inet headgate_quarantine ipv4_1 { 192.0.2.7 timeout 98s500ms : "
              "drop }\n");
}

TEST(QuarantineText, elements_of_one_map_are_one_command) {
    EXPECT_EQ(removal_text(std::vector{kept("192.0.2.7"), kept("192.0.2.8"), kept("2001:db8::1")}),
              "delete element inet headgate_quarantine ipv4_0 { 192.0.2.7, 192.0.2.8 }\n"
              "delete element inet headgate_quarantine ipv6_0 { 2001:db8::1 }\n");
}

TEST(QuarantineText, a_whole_table_has_a_map_and_rules_for_each_layer_and_family) {
    const auto text = table_text(std::vector{kept("10.0.0.0/8", 0), kept("10.1.0.0/16", 1)}, 0s);
    EXPECT_TRUE(text.starts_with(deletion_text()));
    for (const auto* line : {"add map inet headgate_quarantine ipv4_1 ", "as_sent ip daddr vmap @ipv4_1\n",
                             "as_sent ip6 saddr vmap @ipv6_0\n", "as_tracked ct reply ip daddr vmap @ipv4_0\n"})
        EXPECT_NE(text.find(line), std::string::npos) << line;
    EXPECT_EQ(text.find("ipv4_2"), std::string::npos);
}

}  // namespace quarantine_text_test
}  // namespace headgate::quarantine
