#include "cli/policy_text.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "cli/terminal.h"
#include "cli/text_table.h"
#include "flow/utf8.h"
#include "gateway/gateway_json.h"

namespace headgate::cli {
namespace {

std::vector<std::string_view> hook_names(const StreamExceptionPolicy& policy) {
    std::vector<std::string_view> names;
    std::ranges::transform(policy.hooks, std::back_inserter(names), [](Hook hook) { return to_string(hook); });
    return names;
}

void append_policy_line(fmt::memory_buffer& out, std::string_view name, std::string_view value) {
    fmt::format_to(std::back_inserter(out), "{:<24}{}\n", name, as_printable(value));
}

void append_rule_lines(fmt::memory_buffer& out, const StreamExceptionPolicy& policy) {
    append_policy_line(out, "stream exception policy", to_string(policy.exception));
    append_policy_line(out, "scope", to_string(policy.scope));
    append_policy_line(out, "hooks", fmt::format("{}", fmt::join(hook_names(policy), ", ")));
    append_policy_line(out, "priority", fmt::format("{}", policy.priority));
    if (policy.scope != MidstreamScope::Flushed) return;
    append_policy_line(
        out, "flushed flows",
        fmt::format("remembered for {} s, {} at most", policy.remember_flushed_for.count(), policy.remember_at_most));
}

}  // namespace

void PolicyListAnswer::append_text(fmt::memory_buffer& out) const {
    auto table = TextTable::for_stdout(
        {{"NAME"}, {"POLICY"}, {"SCOPE"}, {"HOOKS"}, {"PRIORITY"}, {"FILE", Column::Align::Left, 1}});
    for (const auto& entry : entries_) {
        if (!entry.policy) continue;
        const auto& policy = *entry.policy;
        table.add({entry.name, std::string{to_string(policy.exception)}, std::string{to_string(policy.scope)},
                   fmt::format("{}", fmt::join(hook_names(policy), ",")), fmt::format("{}", policy.priority),
                   entry.file.string()},
                  out);
    }
    table.finish(out);
}

void PolicyListAnswer::append_json(fmt::memory_buffer& out) const {
    out.append(std::string_view{"{\"policies\":["});
    std::string_view separator = "\n";
    for (const auto& entry : entries_) {
        if (!entry.policy) continue;
        out.append(std::exchange(separator, ",\n"));
        gateway::append_policy_json(out, *entry.policy, entry.file.native());
    }
    out.append(std::string_view{"]}\n"});
}

void PolicyListAnswer::append_ndjson(fmt::memory_buffer& out) const {
    for (const auto& entry : entries_) {
        if (!entry.policy) continue;
        gateway::append_policy_json(out, *entry.policy, entry.file.native());
        out.push_back('\n');
    }
}

void PolicyShowAnswer::append_text(fmt::memory_buffer& out) const {
    append_policy_line(out, "policy", policy_.name);
    if (!policy_.description.empty()) append_policy_line(out, "description", policy_.description);
    append_rule_lines(out, policy_);
    if (policy_.reject_invalid) append_policy_line(out, "invalid packets", "rejected");
    if (policy_.log) {
        append_policy_line(
            out, "log",
            fmt::format("\"{}\", {} packets a second", policy_.log->prefix, policy_.log->packets_per_second));
    }
}

void PolicyShowAnswer::append_json(fmt::memory_buffer& out) const {
    gateway::append_policy_json(out, policy_);
    out.push_back('\n');
}

void PolicyStatusAnswer::append_text(fmt::memory_buffer& out) const {
    append_policy_line(out, "policy", status_.policy ? status_.policy->name : "none");
    if (status_.policy) append_rule_lines(out, *status_.policy);
    if (status_.condition != RulesetCondition::NothingApplied)
        append_policy_line(out, "kernel", to_string(status_.condition));
    if (!status_.policy) return;
    if (status_.policy->scope == MidstreamScope::Flushed) {
        append_policy_line(
            out, "remembered",
            fmt::format("{} flow{}", status_.remembered_flows, status_.remembered_flows == 1 ? "" : "s"));
    }
    for (const auto& window : status_.windows) {
        append_policy_line(
            out, "window",
            fmt::format("every midstream packet of {}, for {} s", to_string(window.protocol), window.left.count()));
    }
    const auto caught = [](const PolicyCounter& counter) { return counter.packets != 0; };
    if (std::ranges::none_of(status_.counters, caught)) return;
    out.push_back('\n');
    constexpr auto kRight = Column::Align::Right;
    auto table = TextTable::for_stdout(
        {{"POLICY"}, {"HOOK"}, {"DIRECTION"}, {"PROTOCOL"}, {"PACKETS", kRight}, {"BYTES", kRight}});
    for (const auto& counter : status_.counters) {
        if (!caught(counter)) continue;
        table.add({counter.policy, std::string{to_string(counter.hook)}, std::string{to_string(counter.direction)},
                   counter.protocol, fmt::format("{}", counter.packets), fmt::format("{}", counter.bytes)},
                  out);
    }
    table.finish(out);
}

void PolicyStatusAnswer::append_json(fmt::memory_buffer& out) const {
    gateway::append_policy_status_json(out, endpoint_, status_, message_);
    out.push_back('\n');
}

}  // namespace headgate::cli
