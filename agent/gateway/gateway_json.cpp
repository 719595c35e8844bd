#include "gateway/gateway_json.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "config/configuration.h"
#include "flow/json_members.h"
#include "operations/operation_json.h"
#include "operations/operation_reader.h"

namespace headgate::gateway {
namespace {

void append_kind(fmt::memory_buffer& out, const FlowKind& kind, std::uint64_t count) {
    fmt::format_to(std::back_inserter(out), "{{\"family\":\"{}\",\"protocol\":\"{}\",\"state\":\"{}\",\"count\":{}}}",
                   to_string(kind.family), to_string(kind.protocol), to_string(kind.state), count);
}

void append_usage(fmt::memory_buffer& out, const TableCensus& census) {
    out.push_back('{');
    JsonMembers members{out};
    add_usage(members, census);
}

void add_window(JsonMembers& members, const MidstreamWindow& window) {
    members.text("protocol", to_string(window.protocol));
    members.number("seconds_left", window.left.count());
}

void add_policy_status(JsonMembers& members, const Endpoint& endpoint, const RulesetStatus& status,
                       std::string_view message) {
    operations::add_endpoint(members, endpoint);
    members.text("policy", status.policy ? status.policy->name : config::kNoPolicy);
    if (status.policy) {
        add_policy_rules(members, *status.policy);
    } else {
        members.text("stream_exception_policy", config::kNoPolicy);
    }
    members.text("condition", to_string(status.condition));
    if (!message.empty()) members.text("message", message);
    members.number("remembered_flows", status.remembered_flows);
    members.objects("windows", status.windows, add_window);
    members.objects("counters", status.counters, add_counter);
}

void take_kind(JsonReader& reader, TableCensus& census) {
    FlowKind kind;
    std::uint64_t count = 0;
    reader.named("family", kind.family);
    reader.parsed("protocol", kind.protocol, parse_protocol);
    reader.named("state", kind.state);
    reader.number("count", count);
    census.flows.emplace(kind, count);
}

void take_policy_rules(JsonReader& reader, StreamExceptionPolicy& policy) {
    std::vector<std::string> hooks;
    reader.named("stream_exception_policy", policy.exception);
    reader.named("scope", policy.scope);
    reader.texts("hooks", hooks);
    reader.number("priority", policy.priority);
    reader.duration("remember_flushed_for_seconds", policy.remember_flushed_for);
    reader.number("remember_at_most", policy.remember_at_most);
    policy.hooks.clear();
    for (const auto& name : hooks) {
        const auto hook = parse_name<Hook>(name);
        if (!hook) return reader.fail("hooks", tl::unexpected(hook.error()));
        policy.hooks.push_back(*hook);
    }
}

void take_counter(JsonReader& reader, PolicyCounter& counter) {
    reader.text("policy", counter.policy);
    reader.named("hook", counter.hook);
    reader.named("direction", counter.direction);
    reader.text("protocol", counter.protocol);
    reader.number("packets", counter.packets);
    reader.number("bytes", counter.bytes);
}

void take_window(JsonReader& reader, MidstreamWindow& window) {
    reader.parsed("protocol", window.protocol, parse_protocol);
    reader.duration("seconds_left", window.left);
}

void take_policy_status(JsonReader& reader, RulesetStatus& status) {
    std::string policy;
    reader.text("policy", policy);
    if (policy != config::kNoPolicy) {
        status.policy.emplace().name = policy;
        take_policy_rules(reader, *status.policy);
    }
    reader.named("condition", status.condition);
    reader.number("remembered_flows", status.remembered_flows);
    reader.objects("windows", status.windows, take_window);
    reader.objects("counters", status.counters, take_counter);
    reader.optional_text("missing_policy", status.missing_policy);
}

}  // namespace

void add_usage(JsonMembers& members, const TableCensus& census) {
    members.number("in_use", census.usage.in_use);
    if (census.peak) members.number("peak", *census.peak);
    members.number("maximum", census.usage.maximum);
    members.number("buckets", census.usage.buckets);
}

void add_counter(JsonMembers& members, const PolicyCounter& counter) {
    members.text("policy", counter.policy);
    members.text("hook", to_string(counter.hook));
    members.text("direction", to_string(counter.direction));
    members.text("protocol", counter.protocol);
    members.number("packets", counter.packets);
    members.number("bytes", counter.bytes);
}

void append_census_json(fmt::memory_buffer& out, const TableCensus& census) {
    append_usage(out, census);
    out.append(std::string_view{",\"flows\":["});
    std::string_view separator = "\n";
    for (const auto& [kind, count] : census.flows) {
        out.append(std::exchange(separator, ",\n"));
        append_kind(out, kind, count);
    }
    out.append(std::string_view{"]}\n"});
}

void append_census_ndjson(fmt::memory_buffer& out, const TableCensus& census) {
    for (const auto& [kind, count] : census.flows) {
        append_kind(out, kind, count);
        out.push_back('\n');
    }
    append_usage(out, census);
    out.append(std::string_view{"}\n"});
}

void append_policy_status_json(fmt::memory_buffer& out, const Endpoint& endpoint, const RulesetStatus& status,
                               std::string_view message) {
    out.push_back('{');
    JsonMembers members{out};
    add_policy_status(members, endpoint, status, message);
    out.push_back('}');
}

void append_endpoint_policy_json(fmt::memory_buffer& out, const EndpointPolicy& policy) {
    out.push_back('{');
    JsonMembers members{out};
    add_policy_status(members, policy.endpoint, policy.status, {});
    if (!policy.status.missing_policy.empty()) members.text("missing_policy", policy.status.missing_policy);
    if (!policy.warnings.empty()) members.texts("warnings", policy.warnings);
    out.push_back('}');
}

void add_policy_rules(JsonMembers& members, const StreamExceptionPolicy& policy) {
    std::vector<std::string_view> hooks;
    std::ranges::transform(policy.hooks, std::back_inserter(hooks), [](Hook hook) { return to_string(hook); });
    members.text("stream_exception_policy", to_string(policy.exception));
    members.text("scope", to_string(policy.scope));
    members.texts("hooks", hooks);
    members.number("priority", policy.priority);
    members.number("remember_flushed_for_seconds", policy.remember_flushed_for.count());
    members.number("remember_at_most", policy.remember_at_most);
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
    out.append(std::string_view{"{\"operations\":["});
    std::string_view separator = "\n";
    for (const auto& operation : listed) {
        out.append(std::exchange(separator, ",\n"));
        operations::append_operation_json(out, operation);
    }
    out.push_back(']');
    if (!next_cursor.empty()) {
        JsonMembers members{out, JsonMembers::Place::Later};
        members.text("next_cursor", next_cursor);
    }
    out.push_back('}');
}

Result<TableCensus> read_census_json(const std::string& text) {
    const auto object = parse_json_object(text);
    if (!object) return tl::unexpected(object.error());
    TableCensus census;
    JsonReader reader{*object};
    reader.number("in_use", census.usage.in_use);
    reader.optional_number("peak", census.peak);
    reader.number("maximum", census.usage.maximum);
    reader.number("buckets", census.usage.buckets);
    const auto read = reader.finish().and_then([&] {
        return for_each_object(*object, "flows", [&](const JsonObject& element) {
            JsonReader kind{element};
            take_kind(kind, census);
            return kind.finish();
        });
    });
    if (!read) return tl::unexpected(read.error());
    return census;
}

Result<EndpointPolicy> read_endpoint_policy_json(const std::string& text) {
    const auto object = parse_json_object(text);
    if (!object) return tl::unexpected(object.error());
    EndpointPolicy policy;
    JsonReader reader{*object};
    operations::take_endpoint(reader, policy.endpoint);
    take_policy_status(reader, policy.status);
    reader.optional_texts("warnings", policy.warnings);
    return reader.finish().map([&] { return std::move(policy); });
}

Result<FlowOperation> read_operation_json(const std::string& text) {
    return parse_json_object(text).and_then(operations::read_operation);
}

Result<std::vector<FlowOperation>> read_operations_json(const std::string& text) {
    const auto object = parse_json_object(text);
    if (!object) return tl::unexpected(object.error());
    std::vector<FlowOperation> listed;
    const auto read = for_each_object(*object, "operations", [&](const JsonObject& element) {
        return operations::read_operation(element).map(
            [&](FlowOperation&& each) { listed.push_back(std::move(each)); });
    });
    if (!read) return tl::unexpected(read.error());
    return listed;
}

}  // namespace headgate::gateway
