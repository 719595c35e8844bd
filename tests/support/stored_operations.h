// SPDX-License-Identifier: GPL-2.0-or-later
// Operations and flows for tests of stores.
#pragma once

#include <cerrno>
#include <string>
#include <vector>

#include "headgate/operation_store.h"

#include "support/flow_builder.h"

namespace headgate::testing {

inline FlowOperation operation_named(std::string id) {
    FlowOperation operation;
    operation.id = std::move(id);
    operation.endpoint = {"host", "zone-a", ""};
    operation.requested_at = Timestamp{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21}};
    operation.query = query_for_all();
    return operation;
}

/// One with all members at their defaults, one with all at other values, and mixtures.
inline std::vector<FlowOperation> operations_of_every_kind() {
    FlowOperation bare;
    bare.id = "bare";
    FlowOperation full = operation_named("full");
    full.type = OperationType::Flush;
    full.status = OperationStatus::CompletedWithErrors;
    full.status_message = "Flow operation error";
    full.detail = "a \"quoted\" \\ line\nand \xc3\xa4 and \xff\xfe bytes \x01\x7f";
    full.endpoint = {"edge \xff", "eu-central-1a", "gw-\xe2\x82"};
    full.requested_at += std::chrono::nanoseconds{123'456'789};
    full.duration = std::chrono::milliseconds{98'765'432'101};
    full.query.filters = {
        parse_flow_filter(
            "source=10.0.1.0/24,destination=10.0.2.2,source-port=1:9,destination-port=80,"
            "translated-source=192.0.2.1,translated-destination=10.0.0.0/8,protocol=tcp,protocol=132,protocol=200")
            .value(),
        parse_flow_filter("source=2001:db8::/33").value(), FlowFilter{}};
    full.query.side = MatchSide::Any;
    full.query.direction = MatchDirection::Both;
    full.query.states = StateScope::Established;
    full.query.mark = MarkMatch{0xF0F00000, 0xF0F0F0F0};
    full.query.zone = std::uint16_t{65535};
    full.query.minimum_bytes = UINT64_MAX;
    full.query.minimum_packets = UINT64_MAX;
    full.query.minimum_age = std::chrono::seconds{86400};
    full.phase = OperationPhase::Flushing;
    full.refused = true;
    full.caller = {"unix", 4'294'967'295U, "alice \xff", "bob", "2001:db8::7"};
    full.from_operation = "5f0a";
    full.include_protected = true;
    full.include_translated = true;
    full.ruleset = JudgedRuleset{RulesetSource::Candidate, UINT32_MAX, {}};
    full.refused_by = {
        {{"inet", "filter", "forward \xff", UINT64_MAX, "tcp dport 22 \"x\" drop"}, RefusalKind::Reject, 1, UINT64_MAX},
        {{"ip", "filter", "FORWARD", {}, "policy drop"}, RefusalKind::Policy, 7, {}}};
    full.unknown_reasons = {{"numgen is random", RuleReference{"ip6", "t", "c", 1, "numgen random mod 2 0 drop"}, 9},
                            {"no route", {}, UINT64_MAX}};
    full.consent = Consent::Declined;
    full.policy_applied = true;
    full.protected_by = {{"protected: destination-port=22", 4}, {"SSH sessions into this machine", UINT64_MAX}};
    full.asked = R"({"type":"FLOW_FLUSH","firewall":"edge \"x\""})";
    full.plan = "whole dumps";
    full.dry_run = true;
    full.counts = {UINT64_MAX, 2, 3, 4, 5, 6, 7, 8, UINT64_MAX, {0, 1, UINT64_MAX, 3}};
    full.machine_up = std::chrono::seconds{INT64_MAX};
    full.stream_exception_policy = "reject";
    full.blocked = true;
    full.blocked_until = std::chrono::floor<std::chrono::seconds>(full.requested_at);
    full.last_blocked_until = *full.blocked_until + std::chrono::days{5};
    full.warnings = {"first", "", "third, with \"quotes\""};
    full.restarts = 4'000'000'000;
    auto zero = operation_named("zero");
    zero.query.mark = MarkMatch{0, 0};
    zero.query.zone = std::uint16_t{0};
    zero.query.minimum_bytes = std::uint64_t{0};
    zero.query.minimum_packets = std::uint64_t{0};
    zero.query.side = MatchSide::Translated;
    zero.query.states = StateScope::Any;
    zero.machine_up = std::chrono::seconds{0};
    zero.requested_at = Timestamp{std::chrono::hours{-1}};
    return {bare, full, zero};
}

/// Each optional member present and absent, each family and protocol, NAT, minimum and maximum of numbers.
inline std::vector<FlowRow> flows_of_every_kind() {
    Flow full = tcp_flow()
                    .from("255.255.255.255", 65535)
                    .to("2001:db8::1", 1)
                    .established()
                    .in_zone(65535, ZoneDirection::Reply)
                    .with_id(0xFFFFFFFF)
                    .with_mark(0xFFFFFFFF);
    full.reply.protocol = Protocol{255};
    full.status = 0xFFFFFFFF;
    full.timeout = std::chrono::seconds{INT64_MAX};
    full.counters_original = Counters{UINT64_MAX, 0};
    full.counters_reply = Counters{0, UINT64_MAX};
    full.started = Timestamp::max();
    full.stopped = Timestamp::min();
    Flow gre = FlowBuilder{Protocol::Gre}.from("10.0.1.9").to("10.0.2.2").flow();
    gre.original.source_port = 77;
    return {
        {Flow{}, std::nullopt, 0},
        {full, Outcome::Failed, EPERM},
        {gre, Outcome::Gone, 0},
        {tcp_flow().established().with_id(1).with_bytes(100, 70'000).started_at(Timestamp{std::chrono::years{56}}),
         Outcome::Protected, 0},
        {udp_flow().from("2001:db8:1::2", 5353).to("2001:db8:2::2", 53).in_zone(7), std::nullopt, 0},
        {icmp_flow().from("10.0.1.2").to("10.0.2.2"), Outcome::Flushed, 0},
        {icmpv6_flow().in_zone(3, ZoneDirection::Original), std::nullopt, 0},
        {tcp_flow().leaving_as("192.0.2.9", 61000).redirected_to("10.0.2.2", 8443), std::nullopt, EBUSY},
    };
}

/// Flows with verdicts: each result and kind, each optional member present and absent, some of them shared.
inline std::vector<FlowRow> judged_flows() {
    const RuleReference rule{"inet", "filter", "forward", 12, "tcp dport 22 \"quoted\" drop"};
    const RuleReference policy{"ip", "filter", "FORWARD", std::nullopt, "policy drop"};
    const SharedVerdict allowed{{.result = VerdictResult::Allowed}};
    const SharedVerdict dropped{{.result = VerdictResult::Refused, .kind = RefusalKind::Drop, .rule = rule}};
    const SharedVerdict by_policy{{.result = VerdictResult::Refused, .kind = RefusalKind::Policy, .rule = policy}};
    const SharedVerdict rejected{{.result = VerdictResult::Refused, .kind = RefusalKind::Reject, .rule = rule}};
    const SharedVerdict assuming{
        {.result = VerdictResult::Allowed, .assumes = {"limit not exceeded", "quota not used up"}}};
    const SharedVerdict moved{
        {.result = VerdictResult::Translated,
         .then = Translation{parse_address("192.0.2.1").value(), parse_address("10.0.0.9").value(), 8080}}};
    const SharedVerdict moved_ipv6{
        {.result = VerdictResult::Translated,
         .then = Translation{parse_address("2001:db8::1").value(), parse_address("2001:db8::2").value(), 0}}};
    const SharedVerdict unknown{{.result = VerdictResult::Unknown, .rule = rule, .reason = "meta cpu is not known"}};
    std::vector<FlowRow> rows;
    for (const auto& verdict : {allowed, dropped, allowed, by_policy, rejected, dropped, assuming, moved, moved_ipv6,
                                unknown, SharedVerdict{}, unknown}) {
        rows.push_back({tcp_flow().from_port(static_cast<std::uint16_t>(rows.size() + 1)).established()});
        rows.back().verdict = verdict;
    }
    return rows;
}

/// Flows that are distinguishable by their number.
inline std::vector<FlowRow> numbered_flows(std::uint32_t first, std::uint32_t count) {
    Flow flow = tcp_flow().established().with_bytes(1000, 70'000).started_at(Timestamp{std::chrono::years{56}});
    std::vector<FlowRow> flows;
    for (std::uint32_t number = first; number < first + count; ++number) {
        flow.id = number * 2'654'435'761U;
        flow.original.source_port = static_cast<std::uint16_t>(number);
        flow.original.source.octets[1] = static_cast<std::uint8_t>(number >> 16U);
        flow.reply = swapped(flow.original);
        flows.push_back({flow, std::nullopt, 0});
    }
    return flows;
}

/// The flows as a flush finds them, before they have an outcome.
inline std::vector<FlowRow> rows_of(const std::vector<FlowRow>& flows) {
    std::vector<FlowRow> rows;
    for (const auto& each : flows)
        rows.push_back({each.flow});
    return rows;
}

/// Ends flows as a flush does: the outcomes in turn, with new counters, state and a stop time.
inline std::vector<FlowRow> endings_of(const std::vector<FlowRow>& flows) {
    constexpr Outcome kOutcomes[] = {Outcome::Flushed, Outcome::Gone, Outcome::Failed};
    std::vector<FlowRow> endings;
    for (const auto& each : flows) {
        FlowRow ending{each.flow, kOutcomes[endings.size() % 3], 0};
        if (ending.outcome == Outcome::Failed) ending.error = EBUSY;
        ending.flow.counters_original = Counters{99, 9999};
        ending.flow.protocol_state = std::uint8_t{7};
        ending.flow.stopped = Timestamp{std::chrono::years{57}};
        endings.push_back(ending);
    }
    return endings;
}

}  // namespace headgate::testing
