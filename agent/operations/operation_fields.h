// SPDX-License-Identifier: GPL-2.0-or-later
// The members of an operation, each listed once: for responses and the command line's output (docs/output.md defines
// names and order), for the agent's client, which parses responses, for requests, for the audit trail, and for the
// store's document, some of whose names differ.
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "headgate/flow_operation.h"

#include "flow/filter_fields.h"
#include "flow/json_fields.h"

namespace headgate {
namespace operations {

/// Parses the output of to_string(): `all` for a filter that matches every flow.
inline Result<FlowFilter> parse_stored_filter(std::string_view text) {
    return text == "all" ? FlowFilter{} : parse_flow_filter(text);
}

inline void remove_repetitions(std::vector<Protocol>& protocols) {
    auto end = protocols.begin();
    for (const auto each : protocols)
        if (std::find(protocols.begin(), end, each) == end) *end++ = each;
    protocols.erase(end, protocols.end());
}

}  // namespace operations

template <typename Members, MaybeConst<Endpoint> Object>
void list_members(Members& members, Object& endpoint) {
    members.required({"firewall", kNoMember}, endpoint.firewall);
    members.required({"availability_zone", kNoMember}, endpoint.availability_zone);
    members.optional({"netns", "network_namespace"}, endpoint.network_namespace);
}

template <typename Members, MaybeConst<Caller> Object>
void list_members(Members& members, Object& caller) {
    members.required("face", caller.face);
    members.optional("uid", caller.uid);
    members.optional("user", caller.user);
    members.optional("sudo_user", caller.sudo_user);
    members.optional("source_address", caller.source_address);
}

template <typename Members, MaybeConst<OperationCounts> Object>
void list_members(Members& members, Object& counts) {
    members.required("scanned", counts.scanned);
    members.required("matched", counts.matched);
    members.required("flushed", counts.flushed);
    members.required("gone", counts.gone);
    members.required("failed", counts.failed);
    members.required("protected", counts.protected_flows);
    members.optional("age_unknown", counts.age_unknown);
    members.optional("bytes_unknown", counts.bytes_unknown);
    members.optional("closed", counts.closed);
    for (std::size_t i = 0; i < counts.verdicts.size(); ++i) {
        const auto name = kNames<VerdictResult>[i];
        members.optional({name, name}, counts.verdicts[i]);
    }
}

template <typename Members, MaybeConst<ProtectedBy> Object>
void list_members(Members& members, Object& rule) {
    members.required("rule", rule.rule);
    members.required("flows", rule.flows);
}

template <typename Members, MaybeConst<JudgedRuleset> Object>
void list_members(Members& members, Object& ruleset) {
    members.required("source", ruleset.source);
    members.required("generation", ruleset.generation);
}

template <typename Members, MaybeConst<RuleReference> Object>
void list_members(Members& members, Object& rule) {
    members.required("family", rule.family);
    members.required("table", rule.table);
    members.required("chain", rule.chain);
    members.optional("handle", rule.handle);
    members.required("text", rule.text);
}

template <typename Members, MaybeConst<RefusedBy> Object>
void list_members(Members& members, Object& refused_by) {
    members.required("kind", refused_by.kind);
    members.object("rule", refused_by.rule);
    members.required("flows", refused_by.flows);
    members.optional("bytes", refused_by.bytes);
}

template <typename Members, MaybeConst<UnknownReason> Object>
void list_members(Members& members, Object& unknown) {
    members.required("reason", unknown.reason);
    members.optional_object("rule", unknown.rule);
    members.required("flows", unknown.flows);
}

template <typename Members, MaybeConst<FlowFilter> Object>
void list_members(Members& members, Object& filter) {
    for (const auto& field : kFilterFields) {
        const auto name = field.member();
        if constexpr (Members::kReads) {
            members.optional({name, name}, filter, [&](std::string_view text) {
                auto with_field = filter;
                return field.parse(with_field, text).map([&] { return std::move(with_field); });
            });
        } else {
            members.optional({name, name}, field.print(filter));
        }
    }
    members.optional("protocols", filter.protocols, parse_protocol);
    if constexpr (Members::kReads) operations::remove_repetitions(filter.protocols);
}

/// The public form leaves the states out if they equal `usual_states`, and reads absent states as these.
template <typename Members, MaybeConst<FlowQuery> Object>
void list_members(Members& members, Object& query, std::optional<StateScope> usual_states = std::nullopt) {
    members.defaulted({"minimum_age_seconds", "minimum_age"}, query.minimum_age);
    if (members.form() == JsonForm::Stored) {
        members.required("filters", query.filters, operations::parse_stored_filter);
    } else {
        members.objects("filters", query.filters);
    }
    const auto unsaid = members.form() == JsonForm::Public ? usual_states : std::nullopt;
    auto states = query.states == unsaid ? std::nullopt : query.states;
    members.optional({"state", "states"}, states, parse_name_in_any_case<StateScope>);
    if constexpr (Members::kReads) query.states = states ? states : unsaid;
    members.optional({"match", "side"}, query.side);
    bool both_directions = query.direction == MatchDirection::Both;
    members.optional("both_directions", both_directions);
    if constexpr (Members::kReads) query.direction = both_directions ? MatchDirection::Both : MatchDirection::AsGiven;
    members.optional("mark", query.mark, parse_mark_match);
    members.optional("zone", query.zone);
    members.optional("minimum_bytes", query.minimum_bytes);
    members.optional("minimum_packets", query.minimum_packets);
}

/// The members known when the operation starts.
template <typename Members, MaybeConst<FlowOperation> Object>
void list_request_members(Members& members, Object& operation) {
    members.required({"operation_id", kNoMember}, operation.id);
    members.required({"type", kNoMember}, operation.type);
    list_members(members, operation.endpoint);
    members.required({"requested_at", kNoMember}, operation.requested_at);
    members.optional({"machine_up_seconds", "machine_up"}, operation.machine_up);
    members.object({"requested_by", kNoMember}, operation.caller);
    list_members(members, operation.query, kind_of(operation.type).default_states);
    members.optional({"from_capture", "from_operation"}, operation.from_operation);
    members.optional("dry_run", operation.dry_run);
    members.optional("include_protected", operation.include_protected);
    members.optional("include_translated", operation.include_translated);
    members.optional("consent", operation.consent);
    if (members.form() == JsonForm::Stored) members.optional("asked", operation.asked);
}

/// The members known when the operation has ended; before that, their current values.
template <typename Members, MaybeConst<FlowOperation> Object>
void list_result_members(Members& members, Object& operation) {
    members.required({"status", kNoMember}, operation.status);
    if (members.form() == JsonForm::Stored || operation.status == OperationStatus::InProgress) {
        members.defaulted("phase", operation.phase);
    }
    members.optional("status_message", operation.status_message);
    members.optional("detail", operation.detail);
    members.optional("refused", operation.refused);
    members.optional("warnings", operation.warnings);
    members.required("stream_exception_policy", operation.stream_exception_policy);
    members.optional("policy_applied", operation.policy_applied);
    members.optional("blocked", operation.blocked);
    members.optional("blocked_until", operation.blocked_until);
    members.optional("last_blocked_until", operation.last_blocked_until);
    members.optional("plan", operation.plan);
    members.optional("restarts", operation.restarts);
    members.optional("empty_table", operation.empty_table);
    members.required("duration_ms", operation.duration);
    members.object("counts", operation.counts);
    const bool has_rules = Members::kReads || !operation.protected_by.empty();
    if (has_rules) members.objects("protected_by", operation.protected_by);
    members.optional_object("ruleset", operation.ruleset);
    if (Members::kReads || operation.ruleset) {
        members.objects("refused_by", operation.refused_by);
        members.objects("unknown_reasons", operation.unknown_reasons);
    }
}

template <typename Members, MaybeConst<FlowOperation> Object>
void list_members(Members& members, Object& operation) {
    list_request_members(members, operation);
    list_result_members(members, operation);
}

}  // namespace headgate
