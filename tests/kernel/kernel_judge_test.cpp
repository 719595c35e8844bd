// SPDX-License-Identifier: GPL-2.0-or-later
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "kernel/judged_gateway.h"

namespace headgate::testing {
namespace kernel_judge_test {

using KernelJudge = JudgedGatewayTest;

FlowBuilder icmp_flow() {
    return FlowBuilder{Protocol::Icmp}.echo(7);
}

FlowBuilder icmpv6_flow() {
    return FlowBuilder{Protocol::Icmpv6}.from("2001:db8:1::2").to("2001:db8:2::2").echo(7);
}

TEST_F(KernelJudge, allows_what_no_rule_refuses) {
    load("table inet t { chain c { type filter hook forward priority 0; } }");
    EXPECT_EQ(summary(judge(tcp_flow())), "allowed");
}

TEST_F(KernelJudge, allows_everything_without_any_rules) {
    EXPECT_EQ(summary(judge(tcp_flow())), "allowed");
}

TEST_F(KernelJudge, names_the_rule_that_drops) {
    load(R"(table inet t { chain c { type filter hook forward priority 0;
        ip saddr 10.0.1.2 counter comment "first"
        tcp dport { 22, 80 } counter drop } })");
    const auto verdict = judge(tcp_flow());
    EXPECT_EQ(summary(verdict), "refused drop inet t c \"tcp dport { 22, 80 } counter drop\"");
    ASSERT_TRUE(verdict.rule.has_value());
    EXPECT_TRUE(verdict.rule->handle.has_value());
}

TEST_F(KernelJudge, tells_a_rejection_from_a_drop) {
    load(R"(table ip t { chain c { type filter hook forward priority 0;
        tcp dport 80 reject with tcp reset
        udp dport 53 reject } })");
    EXPECT_EQ(summary(judge(tcp_flow())), "refused reject ip t c \"tcp dport 80 reject with tcp reset\"");
    EXPECT_EQ(judge(udp_flow().to("10.0.2.2", 53)).kind, RefusalKind::Reject);
}

TEST_F(KernelJudge, names_the_chain_whose_policy_refuses) {
    load(R"(table inet t { chain c { type filter hook forward priority 0; policy drop;
        ct state established,related accept
        tcp dport 443 accept } })");
    EXPECT_EQ(summary(judge(tcp_flow().established())), "refused policy inet t c \"policy drop\"");
    EXPECT_EQ(summary(judge(tcp_flow().to_port(443))), "allowed");
}

TEST_F(KernelJudge, judges_each_protocol_of_both_families) {
    load(R"(table inet t { chain c { type filter hook forward priority 0;
        meta l4proto { icmp, ipv6-icmp } drop
        ip6 daddr 2001:db8:2::2 tcp dport 80 drop
        udp dport 53 drop } })");
    const auto verdicts = judge_all({icmp_flow(), icmpv6_flow(), tcp_flow().from("2001:db8:1::2").to("2001:db8:2::2"),
                                     tcp_flow().from("2001:db8:1::2").to("2001:db8:2::3"),
                                     udp_flow().to("10.0.2.2", 53), udp_flow().to("10.0.2.2", 54)});
    std::vector<VerdictResult> results;
    for (const auto& verdict : verdicts)
        results.push_back(verdict.result);
    constexpr auto kRefused = VerdictResult::Refused;
    constexpr auto kAllowed = VerdictResult::Allowed;
    EXPECT_EQ(results, (std::vector{kRefused, kRefused, kRefused, kAllowed, kRefused, kAllowed}));
}

TEST_F(KernelJudge, judges_what_comes_to_and_from_this_machine) {
    load(R"(table inet t {
        chain i { type filter hook input priority 0; iifname "lan" tcp dport 22 drop; }
        chain o { type filter hook output priority 0; oifname "wan" udp dport 53 drop; }
        chain f { type filter hook forward priority 0; policy drop; } })");
    EXPECT_EQ(summary(judge(tcp_flow().to("10.0.1.1", 22))),
              "refused drop inet t i \"iifname \"lan\" tcp dport 22 drop\"");
    EXPECT_EQ(summary(judge(tcp_flow().to("10.0.1.1", 80))), "allowed");
    EXPECT_EQ(judge(udp_flow().from("10.0.2.1").to("10.0.2.9", 53)).result, VerdictResult::Refused);
    EXPECT_EQ(summary(judge(udp_flow().from("10.0.2.1").to("10.0.2.9", 54))), "allowed");
    EXPECT_EQ(summary(judge(tcp_flow().from("2001:db8:2::1").to("2001:db8:2::9", 80))), "allowed");
}

TEST_F(KernelJudge, judges_connections_of_this_machine_with_itself) {
    load(R"(table inet t { chain i { type filter hook input priority 0; iif lo tcp dport 6379 drop; } })");
    const auto flow = [](std::uint16_t port) { return tcp_flow().from("127.0.0.1").to("127.0.0.1", port); };
    EXPECT_EQ(judge(flow(6379)).result, VerdictResult::Refused);
    EXPECT_EQ(summary(judge(flow(6380))), "allowed");
}

TEST_F(KernelJudge, follows_sets_maps_and_jumps) {
    load(R"(table inet t {
        set blocked { type ipv4_addr; flags interval; elements = { 10.0.2.8/29, 10.0.2.99 } }
        map by_port { type inet_service : verdict; elements = { 80 : accept, 81 : jump deeper } }
        chain deeper { ip saddr . ip daddr { 10.0.1.2 . 10.0.2.2 } drop }
        chain c { type filter hook forward priority 0;
            ip daddr @blocked drop
            tcp dport vmap @by_port
            tcp dport vmap { 82 : drop, 83-85 : accept } } })");
    EXPECT_EQ(summary(judge(tcp_flow().to("10.0.2.9"))), "refused drop inet t c \"ip daddr @blocked drop\"");
    EXPECT_EQ(summary(judge(tcp_flow())), "allowed");
    EXPECT_EQ(judge(tcp_flow().to_port(81)).rule->chain, "deeper");
    EXPECT_EQ(summary(judge(tcp_flow().to_port(82))),
              "refused drop inet t c \"tcp dport vmap { 82 : drop, 83-85 : accept }\"");
    EXPECT_EQ(summary(judge(tcp_flow().to_port(84))), "allowed");
}

TEST_F(KernelJudge, compares_translations) {
    load(R"(table inet nat {
        chain pre { type nat hook prerouting priority dstnat; tcp dport 8080 dnat ip to 10.0.2.7:80; }
        chain post { type nat hook postrouting priority srcnat; oifname "wan" masquerade; } })");
    const auto masqueraded = tcp_flow().leaving_as("10.0.2.1", 1024);
    EXPECT_EQ(summary(judge(masqueraded)), "allowed");
    EXPECT_EQ(summary(judge(tcp_flow())), "translated 10.0.2.1 -> 10.0.2.2 80");
    const auto redirected = tcp_flow().to("10.0.2.1", 8080).leaving_as("10.0.2.1", 40000);
    EXPECT_EQ(summary(judge(FlowBuilder{redirected}.redirected_to("10.0.2.7", 80))), "allowed");
    EXPECT_EQ(summary(judge(FlowBuilder{redirected}.redirected_to("10.0.2.6", 80))),
              "translated 10.0.2.1 -> 10.0.2.7 80");
}

TEST_F(KernelJudge, leaves_unknown_what_depends_on_what_is_not_known) {
    load(R"(table inet t { chain c { type filter hook forward priority 0;
        tcp dport 80 ip dscp 46 drop
        tcp dport 81 numgen random mod 2 0 drop } })");
    EXPECT_EQ(judge(tcp_flow()).result, VerdictResult::Unknown);
    EXPECT_EQ(summary(judge(tcp_flow().to_port(81))),
              "unknown inet t c \"tcp dport 81 numgen random mod 2 0 drop\": depends on numgen");
    EXPECT_EQ(summary(judge(tcp_flow().to_port(82))), "allowed");
}

TEST_F(KernelJudge, refuses_by_a_limit_only_what_would_be_refused_beyond_it_too) {
    load(R"(table inet t { chain c { type filter hook forward priority 0;
        tcp dport 80 limit rate 1/second accept
        tcp dport 81 limit rate over 1/second drop
        tcp dport 82 limit rate 1/second drop
        tcp dport 83 limit rate over 1/second drop
        tcp dport 83 drop } })");
    EXPECT_EQ(summary(judge(tcp_flow())), "allowed if limit is not exceeded");
    EXPECT_EQ(summary(judge(tcp_flow().to_port(81))), "allowed if limit is not exceeded");
    EXPECT_EQ(judge(tcp_flow().to_port(82)).result, VerdictResult::Unknown);
    EXPECT_EQ(judge(tcp_flow().to_port(83)).result, VerdictResult::Refused);
}

TEST_F(KernelJudge, judges_by_a_candidate_before_it_is_loaded) {
    load("table inet t { chain c { type filter hook forward priority 0; tcp dport 22 drop; } }");
    const std::string candidate = "add rule inet t c tcp dport 80 drop comment \"new\"\n";
    EXPECT_EQ(summary(judge(tcp_flow(), candidate)), "refused drop inet t c \"tcp dport 80 drop comment \"new\"\"");
    const auto kept = judge(tcp_flow().to_port(22), candidate);
    EXPECT_EQ(summary(kept), "refused drop inet t c \"tcp dport 22 drop\"");
    EXPECT_TRUE(kept.rule->handle.has_value());
    EXPECT_FALSE(judge(tcp_flow(), candidate).rule->handle.has_value());
    EXPECT_EQ(summary(judge(tcp_flow().to_port(22), "flush ruleset\n")), "allowed");
    EXPECT_EQ(summary(judge(tcp_flow())), "allowed") << "the ruleset in force was changed";
}

TEST_F(KernelJudge, answers_nfts_message_for_a_candidate_that_does_not_load) {
    const auto fault = [&](const std::string& candidate) {
        const auto prepared = judge_->prepare(candidate);
        if (prepared) return std::string{"loaded"};
        EXPECT_EQ(prepared.error().kind, ErrorKind::Unloadable);
        return prepared.error().message;
    };
    EXPECT_EQ(fault("table inet t {\n  chain c { tcp dport drop; }\n}\n").substr(0, 2), "2:");
    EXPECT_EQ(fault("add rule inet absent c drop\n"),
              "1:15-20: Error: Could not process rule: No such file or directory");
    EXPECT_NE(fault("include \"/etc/passwd\"\n").find("include"), std::string::npos);
    EXPECT_NE(fault("delete rule inet t c handle 4\n").find("handle"), std::string::npos);
    EXPECT_EQ(fault("table inet t { comment \"include handle\"; } # include\n"), "loaded");
}

TEST_F(KernelJudge, compares_packet_and_connection_marks) {
    load(R"(table inet t { chain c { type filter hook forward priority 0;
        ct mark 7 accept
        tcp dport 80 drop } })");
    EXPECT_EQ(judge(tcp_flow()).result, VerdictResult::Refused);
    EXPECT_EQ(summary(judge(tcp_flow().with_mark(7))), "unknown inet t c \"tcp dport 80 drop\": depends on ct mark");
    EXPECT_EQ(judge(tcp_flow().with_mark(8)).result, VerdictResult::Refused);
}

TEST_F(KernelJudge, knows_the_generation_of_the_ruleset) {
    load("table inet t { }");
    const auto prepared = judge_->prepare({});
    ASSERT_TRUE(prepared.has_value()) << prepared.error().message;
    EXPECT_EQ(judge_->generation_now().value(), prepared->generation);
    load("table inet u { }");
    EXPECT_NE(judge_->generation_now().value(), prepared->generation);
}

TEST_F(KernelJudge, leaves_nothing_behind_when_it_is_killed) {
    load("table inet t { chain c { type filter hook forward priority 0; } }");
    ASSERT_TRUE(judge_->prepare({}).has_value());
    ASSERT_TRUE(judge_->process().has_value());
    ::kill(*judge_->process(), SIGKILL);
    const auto verdicts = judge_->judge(std::vector<Flow>{tcp_flow()});
    ASSERT_FALSE(verdicts.has_value());
    EXPECT_EQ(verdicts.error().kind, ErrorKind::Disconnected);
    EXPECT_EQ(std::system("nft list ruleset | grep -q headgate"), 256);
    EXPECT_EQ(summary(judge(tcp_flow())), "allowed");
}

TEST_F(KernelJudge, judges_many_flows_in_order) {
    load(R"(table inet t { chain c { type filter hook forward priority 0; tcp sport 40000-41999 drop; } })");
    std::vector<Flow> flows;
    for (std::uint16_t port = 35000; port < 45000; ++port)
        flows.push_back(tcp_flow().from_port(port));
    const auto verdicts = judge_all(flows);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < flows.size(); ++i) {
        const auto port = flows[i].original.source_port;
        const auto expected = port >= 40000 && port <= 41999 ? VerdictResult::Refused : VerdictResult::Allowed;
        wrong += verdicts[i].result == expected ? 0U : 1U;
    }
    EXPECT_EQ(wrong, 0U);
}

TEST_F(KernelJudge, leaves_unknown_what_the_link_of_arrival_decides_where_there_are_two) {
    load("table inet t { chain c { type filter hook forward priority 0; iifname lan drop; } }");
    ASSERT_EQ(std::system("ip route add 198.51.100.0/24 nexthop via 10.0.1.9 nexthop via 10.0.2.9"), 0);
    EXPECT_EQ(summary(judge(tcp_flow().from("198.51.100.7"))),
              "unknown inet t c \"iifname \"lan\" drop\": depends on the link by which it came");
    load("table inet t { chain c { tcp dport 80 drop; } }");
    EXPECT_EQ(judge(tcp_flow().from("198.51.100.7")).result, VerdictResult::Refused);
}

TEST_F(KernelJudge, says_why_a_packet_does_not_reach_the_rules) {
    load("table inet t { chain c { type filter hook forward priority 0; policy drop; } }");
    ASSERT_EQ(std::system("ip route del default; ip route add blackhole 203.0.113.0/24"), 0);
    EXPECT_EQ(summary(judge(tcp_flow().from("192.0.2.7"))),
              "unknown: no route back to its source, so the link by which it came is unknown");
    EXPECT_EQ(summary(judge(tcp_flow().to("203.0.113.7"))), "unknown: does not reach the rules");
    EXPECT_EQ(summary(judge(udp_flow().to("224.0.0.1"))), "unknown: multicast, broadcast or link-local");
    EXPECT_EQ(summary(judge(udp_flow().to("10.0.2.255"))), "unknown: multicast, broadcast or link-local");
    EXPECT_EQ(summary(judge(FlowBuilder{Protocol::Dccp})), "unknown: its first packet cannot be made");
}

TEST_F(KernelJudge, follows_routing_rules_and_groups_of_links) {
    ASSERT_EQ(std::system("ip link set wan group 7; ip rule add from 10.0.1.2 table 100;"
                          "ip route add 10.0.3.0/24 dev lan; ip route add 10.0.3.0/24 dev wan table 100"),
              0);
    load("table inet t { chain c { type filter hook forward priority 0; oifgroup 7 drop; } }");
    EXPECT_EQ(judge(tcp_flow().from("10.0.1.2").to("10.0.3.3")).result, VerdictResult::Refused);
    EXPECT_EQ(summary(judge(tcp_flow().from("10.0.1.3").to("10.0.3.3"))), "allowed");
}

TEST_F(KernelJudge, judges_chains_at_ingress) {
    load(R"(table netdev t { chain c { type filter hook ingress device "lan" priority 0;
        tcp dport 80 drop
        ip6 daddr 2001:db8:2::2 drop } })");
    EXPECT_EQ(summary(judge(tcp_flow())), "refused drop netdev t c \"tcp dport 80 drop\"");
    EXPECT_EQ(judge(udp_flow().from("2001:db8:1::2").to("2001:db8:2::2")).result, VerdictResult::Refused);
    EXPECT_EQ(summary(judge(tcp_flow().to_port(81))), "allowed");
}

TEST_F(KernelJudge, reads_sets_as_they_are_and_doubts_those_that_the_packet_changes) {
    load_text(R"(table inet t {
        set seen { type ipv4_addr; flags dynamic,timeout; timeout 1h; elements = { 10.0.1.7 }; }
        set now { type ipv4_addr; flags dynamic; }
        chain c { type filter hook forward priority 0;
            ip saddr @seen drop
            add @seen { ip saddr }
            tcp dport 81 add @now { ip saddr }
            ip saddr @now drop
        }
    })");
    EXPECT_EQ(judge(tcp_flow().from("10.0.1.7")).result, VerdictResult::Refused);
    EXPECT_EQ(summary(judge(tcp_flow())), "allowed");
    EXPECT_EQ(judge(tcp_flow().to_port(81)).result, VerdictResult::Unknown);
}

TEST_F(KernelJudge, warns_of_bridged_packets_where_there_is_a_bridge) {
    if (::access("/proc/sys/net/bridge/bridge-nf-call-iptables", R_OK) != 0) GTEST_SKIP() << "needs br_netfilter";
    ASSERT_EQ(std::system("sysctl -qw net.bridge.bridge-nf-call-iptables=1"), 0);
    const auto warns = [&] {
        const auto prepared = judge_->prepare({});
        return prepared && std::ranges::any_of(prepared->warnings, [](const std::string& warning) {
                   return warning.find("bridge") != std::string::npos;
               });
    };
    EXPECT_FALSE(warns());
    ASSERT_EQ(std::system("ip link add br0 type bridge"), 0);
    EXPECT_TRUE(warns());
}

TEST_F(KernelJudge, runs_no_command_that_is_hidden_in_a_name) {
    load("table inet t { chain c { type filter hook forward priority 0; drop; } }");
    EXPECT_EQ(rematch::list_rules_of_chain("inet", "t", "c").size(), 1U);
    EXPECT_EQ(rematch::list_rules_of_chain("inet", "t", "c; flush ruleset").size(), 0U);
    EXPECT_EQ(rematch::list_rules_of_chain("inet", "t", "c").size(), 1U);
}

}  // namespace kernel_judge_test
}  // namespace headgate::testing
