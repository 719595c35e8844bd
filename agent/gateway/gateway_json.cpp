// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/gateway_json.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "config/configuration.h"
#include "flow/json_fields.h"
#include "operations/operation_fields.h"
#include "operations/operation_json.h"

namespace headgate {

template <typename Members, MaybeConst<PolicyCounter> Object>
void list_members(Members& members, Object& counter) {
    members.required("policy", counter.policy);
    members.required("hook", counter.hook);
    members.required("direction", counter.direction);
    members.required("protocol", counter.protocol);
    members.required("packets", counter.packets);
    members.required("bytes", counter.bytes);
}

template <typename Members, MaybeConst<MidstreamWindow> Object>
void list_members(Members& members, Object& window) {
    members.required("protocol", window.protocol, parse_protocol);
    members.required("seconds_left", window.left);
}

/// The rules that the kernel reports for a policy in force.
template <typename Members, MaybeConst<StreamExceptionPolicy> Object>
void list_members(Members& members, Object& policy) {
    members.required("stream_exception_policy", policy.exception);
    members.required("scope", policy.scope);
    members.required("hooks", policy.hooks, parse_name<Hook>);
    members.required("priority", policy.priority);
    if constexpr (Members::kReads) policy.remember_flushed_for.reset();
    members.optional("remember_flushed_for_seconds", policy.remember_flushed_for);
    if constexpr (!Members::kReads) {
        if (!policy.remember_flushed_for)
            members.required("remember_flushed_for", StreamExceptionPolicy::kConnectionMemory);
    }
    members.required("remember_at_most", policy.remember_at_most);
}

namespace gateway {
namespace {

struct CountedKind {
    FlowKind kind;
    std::uint64_t count = 0;
};

template <typename Members, MaybeConst<CountedKind> Object>
void list_members(Members& members, Object& counted) {
    members.required("family", counted.kind.family);
    members.required("protocol", counted.kind.protocol, parse_protocol);
    members.required("state", counted.kind.state);
    members.required("count", counted.count);
}

template <typename Members>
void list_policy(Members& members, std::optional<StreamExceptionPolicy>& policy) {
    std::string name;
    members.required("policy", name);
    if (name == config::kNoPolicy) return;
    policy.emplace().name = name;
    list_members(members, *policy);
}

void list_policy(MemberWriter& members, const std::optional<StreamExceptionPolicy>& policy) {
    members.required("policy", policy ? policy->name : config::kNoPolicy);
    if (policy) return list_members(members, *policy);
    members.required("stream_exception_policy", config::kNoPolicy);
}

/// `message`: remark on the condition, may be empty.
template <typename Members, MaybeConst<RulesetStatus> Object>
void list_status(Members& members, Object& status, std::string_view message = {}) {
    list_policy(members, status.policy);
    members.required("condition", status.condition);
    if constexpr (!Members::kReads) members.optional("message", message);
    members.required("remembered_flows", status.remembered_flows);
    members.objects("windows", status.windows);
    members.objects("counters", status.counters);
}

}  // namespace

/// Without its flows, which have a line each.
template <typename Members, MaybeConst<TableStatistics> Object>
void list_members(Members& members, Object& statistics) {
    members.required("in_use", statistics.usage.in_use);
    members.optional("peak", statistics.peak);
    members.required("maximum", statistics.usage.maximum);
    members.required("buckets", statistics.usage.buckets);
}

template <typename Members, MaybeConst<EndpointPolicy> Object>
void list_members(Members& members, Object& policy) {
    list_members(members, policy.endpoint);
    list_status(members, policy.status);
    members.optional("missing_policy", policy.status.missing_policy);
    members.optional("warnings", policy.warnings);
}

void add_usage(JsonMembers& members, const TableStatistics& statistics) {
    write_members(members, statistics);
}

void add_counter(JsonMembers& members, const PolicyCounter& counter) {
    write_members(members, counter);
}

void add_policy_rules(JsonMembers& members, const StreamExceptionPolicy& policy) {
    write_members(members, policy);
}

void append_kind_json(fmt::memory_buffer& out, const FlowKind& kind, std::uint64_t count) {
    append_json_object(out, CountedKind{kind, count});
}

void append_table_json(fmt::memory_buffer& out, const TableStatistics& statistics) {
    out.push_back('{');
    JsonMembers members{out};
    add_usage(members, statistics);
    members.key("flows");
    append_json_lines(out, statistics.flows, [&](const auto& each) { append_kind_json(out, each.first, each.second); });
    out.append(std::string_view{"}\n"});
}

void append_policy_status_json(fmt::memory_buffer& out, const Endpoint& endpoint, const RulesetStatus& status,
                               std::string_view message) {
    out.push_back('{');
    JsonMembers json{out};
    MemberWriter members{json};
    list_members(members, endpoint);
    list_status(members, status, message);
    out.push_back('}');
}

void append_endpoint_policy_json(fmt::memory_buffer& out, const EndpointPolicy& policy) {
    append_json_object(out, policy);
}

void append_policy_json(fmt::memory_buffer& out, const StreamExceptionPolicy& policy, std::string_view file) {
    out.push_back('{');
    JsonMembers members{out};
    members.text("policy", policy.name);
    if (!policy.description.empty()) members.text("description", policy.description);
    add_policy_rules(members, policy);
    if (policy.reject_invalid) members.number("reject_invalid", true);
    if (policy.log) {
        members.object("log", [&](JsonMembers& log) {
            log.text("prefix", policy.log->prefix);
            log.number("packets_per_second", policy.log->packets_per_second);
        });
    }
    if (!file.empty()) members.text("file", file);
    out.push_back('}');
}

void append_operations_json(fmt::memory_buffer& out, const std::vector<FlowOperation>& listed,
                            std::string_view next_cursor) {
    out.push_back('{');
    JsonMembers members{out};
    members.key("operations");
    append_json_lines(out, listed, [&](const auto& each) { operations::append_operation_json(out, each); });
    if (!next_cursor.empty()) members.text("next_cursor", next_cursor);
    out.push_back('}');
}

Result<TableStatistics> read_table_json(const std::string& text) {
    return read_json<TableStatistics>(text, [](JsonReader& reader, TableStatistics& statistics) {
        read_listed(reader, statistics);
        reader.each_object("flows", [&](JsonReader& element) {
            CountedKind counted;
            read_listed(element, counted);
            statistics.flows.emplace(counted.kind, counted.count);
        });
    });
}

Result<EndpointPolicy> read_endpoint_policy_json(const std::string& text) {
    return read_json_object<EndpointPolicy>(text);
}

Result<FlowOperation> read_operation_json(const std::string& text) {
    return read_json_object<FlowOperation>(text);
}

Result<std::vector<FlowOperation>> read_operations_json(const std::string& text) {
    return read_json<std::vector<FlowOperation>>(text, [](JsonReader& reader, std::vector<FlowOperation>& listed) {
        reader.objects("operations", listed, [](JsonReader& each, FlowOperation& slot) { read_listed(each, slot); });
    });
}

}  // namespace gateway
}  // namespace headgate
