// SPDX-License-Identifier: GPL-2.0-or-later
#include "midstream/ruleset_text.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "midstream/flushed_sets.h"
#include "midstream/policy_note.h"
#include "support/flow_builder.h"

namespace headgate::midstream {
namespace ruleset_text_test {

using namespace headgate::testing;
using namespace std::chrono_literals;

StreamExceptionPolicy some_policy() {
    StreamExceptionPolicy policy;
    policy.name = "of-ours";
    policy.exception = StreamException::Reject;
    return policy;
}

TEST(RulesetNote, describes_the_policy) {
    auto policy = some_policy();
    policy.scope = MidstreamScope::All;
    policy.remember_flushed_for = 77s;
    policy.remember_at_most = 9;
    const auto note = parse_note(note_text(policy, 7));
    ASSERT_TRUE(note.has_value());
    EXPECT_EQ(note->policy, policy);
    EXPECT_EQ(note->generation, 7U);
}

TEST(RulesetNote, says_that_each_flow_is_remembered_as_long_as_its_own_timeout) {
    auto policy = some_policy();
    policy.remember_flushed_for.reset();
    const auto note = parse_note(note_text(policy, 7));
    ASSERT_TRUE(note.has_value());
    EXPECT_EQ(note->policy.remember_flushed_for, std::nullopt);
}

TEST(RulesetNote, changes_with_whatever_changes_the_rules) {
    auto policy = some_policy();
    const auto before = note_text(policy, 7);
    EXPECT_EQ(note_text(some_policy(), 7), before);
    policy.priority = -194;
    EXPECT_NE(note_text(policy, 7), before);
    policy = some_policy();
    policy.log = PacketLog{"x", 1};
    EXPECT_NE(note_text(policy, 7), before);
    policy = some_policy();
    policy.description = "no rule";
    EXPECT_EQ(note_text(policy, 7), before);
}

TEST(RulesetNote, fits_a_comment_of_nftables) {
    auto policy = some_policy();
    policy.name = std::string(StreamExceptionPolicy::kLongestName, 'x');
    policy.exception = StreamException::Continue;
    policy.remember_flushed_for = StreamExceptionPolicy::kLongestMemory;
    policy.remember_at_most = StreamExceptionPolicy::kLargestMemory;
    EXPECT_LE(note_text(policy, 999).size(), 127U);
    policy.remember_flushed_for.reset();
    EXPECT_LE(note_text(policy, 999).size(), 127U);
}

TEST(RulesetNote, of_a_version_without_editions_is_read) {
    const auto note = parse_note("policy=old exception=drop scope=all remember=1 most=2 text=0");
    ASSERT_TRUE(note.has_value());
    EXPECT_EQ(note->policy.name, "old");
    EXPECT_EQ(chain_name("forward", note->generation), "forward");
}

TEST(RulesetNote, of_another_program_is_none) {
    for (const auto* text : {"", "hello", "policy=", "policy=x exception=drop", "policy=x exception=maybe scope=all",
                             "policy=x exception=drop scope=all remember=-1 most=1 text=0",
                             "policy=x exception=drop scope=all remember= most=1 text=0",
                             "policy=x exception=drop scope=all remember=1 most=99999999999 text=0"}) {
        EXPECT_FALSE(parse_note(text).has_value()) << text;
    }
}

TEST(CounterName, is_read_back_whatever_the_policy_is_called) {
    const auto counter = parse_counter_name("my_own-policy_forward_reply_icmpv6");
    ASSERT_TRUE(counter.has_value());
    EXPECT_EQ(counter->policy, "my_own-policy");
    EXPECT_EQ(counter->hook, Hook::Forward);
    EXPECT_EQ(counter->direction, PacketDirection::Reply);
    EXPECT_EQ(counter->protocol, "icmpv6");
}

TEST(CounterName, of_another_program_is_none) {
    for (const auto* name :
         {"", "http", "_forward_any_tcp", "x_sideways_any_tcp", "x_forward_up_tcp", "forward_any_tcp"})
        EXPECT_FALSE(parse_counter_name(name).has_value()) << name;
}

TEST(Ruleset, with_scope_all_catches_without_remembering) {
    auto policy = some_policy();
    policy.scope = MidstreamScope::All;
    const auto text = ruleset_text(policy, 7);
    EXPECT_EQ(text.find("flushed_"), std::string::npos);
    EXPECT_NE(text.find("meta l4proto { tcp, sctp } goto forward_any_7"), std::string::npos);
}

/// The text of a chain of the ruleset.
std::string chain_of(const StreamExceptionPolicy& policy, std::string_view name) {
    const auto text = ruleset_text(policy, 7);
    const auto begin = text.find(fmt::format("chain {}_7 {{", name));
    return begin == std::string::npos ? std::string{} : text.substr(begin, text.find("\n}", begin) - begin);
}

TEST(Ruleset, never_rejects_what_may_be_of_a_tracked_connection) {
    auto policy = some_policy();
    const std::string silence = "ct state invalid goto silence_7";
    EXPECT_NE(chain_of(policy, "forward_any").find(silence), std::string::npos) << "a window";
    EXPECT_EQ(chain_of(policy, "forward_original").find(silence), std::string::npos) << "a flushed flow is known";
    policy.scope = MidstreamScope::All;
    EXPECT_NE(chain_of(policy, "forward_any").find(silence), std::string::npos);
    EXPECT_NE(chain_of(policy, "silence").find("drop"), std::string::npos);
    policy.reject_invalid = true;
    EXPECT_EQ(ruleset_text(policy, 7).find("silence"), std::string::npos) << "the operator has asked for it";
    policy.exception = StreamException::Drop;
    policy.reject_invalid = false;
    EXPECT_EQ(ruleset_text(policy, 7).find("silence"), std::string::npos);
}

TEST(Ruleset, stands_in_the_policys_hooks_and_no_others) {
    auto policy = some_policy();
    policy.hooks = {Hook::Input};
    policy.priority = -7;
    const auto text = ruleset_text(policy, 7);
    EXPECT_NE(text.find("type filter hook input priority -7; policy accept;"), std::string::npos);
    EXPECT_EQ(text.find("hook forward"), std::string::npos);
    EXPECT_NE(chain_of(policy, "begun_postrouting").find("jump forget_7"), std::string::npos)
        << "a connection from elsewhere is answered on the way out";
}

TEST(Ruleset, names_every_chain_but_the_note_by_its_edition) {
    auto policy = some_policy();
    policy.hooks = {Hook::Forward, Hook::Input, Hook::Output};
    const auto text = ruleset_text(policy, 7);
    const std::regex mention{"(?:chain|jump|goto) ([a-z0-9_]+)"};
    std::set<std::string> names;
    for (std::sregex_iterator next{text.begin(), text.end(), mention}, end; next != end; ++next)
        names.insert((*next)[1]);
    EXPECT_EQ(names.erase("in_force"), 1U);
    EXPECT_GT(names.size(), 30U);
    for (const auto& name : names)
        EXPECT_TRUE(name.ends_with("_7")) << name;
}

std::vector<FlowRow> row(const Flow& flow) {
    return {{flow, {}}};
}

const SetElements& in_set(const std::vector<SetElements>& all, std::string_view name) {
    for (const auto& each : all) {
        if (each.set == name) return each;
    }
    static const SetElements none;
    return none;
}

std::string hex(const SetElement& element) {
    std::string text;
    for (const auto octet : std::span{element.key}.first(element.key_length))
        text += fmt::format("{:02x}", std::to_integer<unsigned>(octet));
    return text;
}

TEST(FlushedFlow, is_remembered_as_its_packets_arrive_from_either_side) {
    const auto flow = tcp_flow().from("10.0.1.2", 0x1234).to("192.0.2.1", 80).redirected_to("10.0.2.2", 8080);
    const auto elements = elements_for(row(flow), 5s, 65536);
    ASSERT_EQ(elements.size(), 2U);
    const auto& original = in_set(elements, "flushed_tuple_original_ipv4_65536").elements;
    const auto& reply = in_set(elements, "flushed_tuple_reply_ipv4_65536").elements;
    ASSERT_EQ(original.size(), 1U);
    ASSERT_EQ(reply.size(), 1U);
    EXPECT_EQ(hex(original.front()),
              "0a000102"
              "12340000"
              "c0000201"
              "00500000"
              "06000000");
    EXPECT_EQ(hex(reply.front()),
              "0a000202"
              "1f900000"
              "0a000102"
              "12340000"
              "06000000");
    EXPECT_EQ(original.front().timeout, 5s);
}

TEST(FlushedFlow, is_remembered_as_long_as_its_own_timeout_had_left_if_no_time_is_given) {
    const auto seconds_for = [](Flow flow, std::optional<std::chrono::seconds> left) {
        flow.timeout = left;
        const auto sets = elements_for(row(flow), std::nullopt, 65536);
        EXPECT_EQ(sets.size(), 2U);
        for (const auto& each : sets)
            EXPECT_EQ(each.elements.at(0).timeout, sets.at(0).elements.at(0).timeout) << "in both directions";
        return std::chrono::floor<std::chrono::seconds>(sets.at(0).elements.at(0).timeout);
    };
    for (const Flow& flow : {tcp_flow().established().flow(), udp_flow().flow(), icmp_flow().flow(),
                             icmpv6_flow().flow(), FlowBuilder{Protocol::Gre}.flow()}) {
        EXPECT_EQ(seconds_for(flow, 120h), 120h);
        EXPECT_EQ(seconds_for(flow, 1s), 1s);
        EXPECT_EQ(seconds_for(flow, 0s), 5min) << "unknown";
        EXPECT_EQ(seconds_for(flow, std::nullopt), 5min) << "unknown, as of an offloaded flow";
        EXPECT_EQ(seconds_for(flow, std::chrono::seconds::max()), std::chrono::seconds{UINT32_MAX}) << "of a file";
    }
}

TEST(FlushedFlow, of_icmp_is_recognised_by_its_identifier_and_the_kind_of_message) {
    const auto elements = elements_for(row(icmp_flow().from("10.0.1.2").to("10.0.2.2").echo(0x0102)), 1s, 65536);
    EXPECT_EQ(hex(in_set(elements, "flushed_icmp_original_ipv4_65536").elements.at(0)),
              "0a000102"
              "01020000"
              "0a000202"
              "08000000");
    EXPECT_EQ(hex(in_set(elements, "flushed_icmp_reply_ipv4_65536").elements.at(0)),
              "0a000202"
              "01020000"
              "0a000102"
              "00000000");
}

TEST(FlushedFlow, of_other_protocols_is_recognised_by_its_addresses) {
    const auto elements =
        elements_for(row(FlowBuilder{Protocol::Gre}.from("10.0.1.2").to("10.0.2.2").flow()), 1s, 65536);
    EXPECT_EQ(hex(in_set(elements, "flushed_other_original_ipv4_65536").elements.at(0)),
              "0a000102"
              "0a000202"
              "2f000000");
}

TEST(FlushedFlow, of_node_information_is_recognised_by_its_code_as_well) {
    Flow flow = icmpv6_flow();
    flow.original.icmp_type = 139;
    flow.original.icmp_code = flow.reply.icmp_code = 1;
    flow.reply.icmp_type = 140;
    const auto elements = elements_for(row(flow), 1s, 65536);
    EXPECT_TRUE(hex(in_set(elements, "flushed_icmp_original_ipv6_65536").elements.at(0)).ends_with("8b010000"));
    EXPECT_TRUE(hex(in_set(elements, "flushed_icmp_reply_ipv6_65536").elements.at(0)).ends_with("8c010000"));
}

TEST(Window, has_the_protocol_for_its_key) {
    const auto window = window_for(Protocol::Sctp, 9s);
    EXPECT_EQ(window.set, "windows");
    EXPECT_EQ(protocol_of_window(window.elements.at(0)), Protocol::Sctp);
}

}  // namespace ruleset_text_test
}  // namespace headgate::midstream
