// SPDX-License-Identifier: GPL-2.0-or-later
#include "midstream/policy_file.h"

#include <algorithm>

#include "base/printable.h"
#include "base/resource_names.h"
#include "base/scalars.h"
#include "config/duration.h"
#include "config/small_file.h"
#include "config/yaml_reader.h"

namespace headgate::midstream {
namespace {

using Policy = StreamExceptionPolicy;

Result<std::string> parse_description(std::string_view text) {
    if (find_unprintable(text)) return invalid("must be one line without control characters");
    return std::string{text};
}

Result<int> parse_priority(std::string_view text) {
    auto priority = parse_number(text, Policy::kFirstPriority, Policy::kLastPriority);
    if (priority) return priority;
    return invalid("{}; conntrack knows a packet only after priority -200, and its helpers come at 300",
                   priority.error().message);
}

Result<std::string> parse_log_prefix(std::string_view text) {
    if (text.empty() || text.size() > kLongestLogPrefix) {
        return invalid("takes 1 to {} characters, not {}", kLongestLogPrefix, text.size());
    }
    const auto fits = [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\' && c != '$'; };
    if (!std::ranges::all_of(text, fits)) return invalid("takes printable ASCII alone, and none of \", \\ and $");
    return std::string{text};
}

Result<std::uint32_t> parse_log_rate(std::string_view text) {
    return parse_number<std::uint32_t>(text, 1, 10'000);
}

Result<std::chrono::seconds> parse_memory_time(std::string_view text) {
    ASSIGN_OR_RETURN(auto time, config::parse_duration(text));
    if (time < std::chrono::seconds{1} || time > Policy::kLongestMemory) {
        return invalid("{} is not within 1s..{}d", text,
                       std::chrono::floor<std::chrono::days>(Policy::kLongestMemory).count());
    }
    return time;
}

Result<std::uint32_t> parse_memory_size(std::string_view text) {
    return parse_number<std::uint32_t>(text, 1, Policy::kLargestMemory);
}

Result<void> take_log(const config::YamlMap& map, std::optional<PacketLog>& slot) {
    ASSIGN_OR_RETURN(const auto keys, map.map("log", {"prefix", "packets_per_second"}));
    if (!keys) return {};
    auto& log = slot.emplace();
    return keys->require("prefix", log.prefix, parse_log_prefix).and_then([&] {
        return keys->take("packets_per_second", log.packets_per_second, parse_log_rate);
    });
}

Result<void> take_policy(const config::YamlMap& map, Policy& policy) {
    return map.take("description", policy.description, parse_description)
        .and_then([&] { return map.require("stream_exception_policy", policy.exception, parse_name<StreamException>); })
        .and_then([&] { return map.take("scope", policy.scope, parse_name<MidstreamScope>); })
        .and_then([&] { return map.take("reject_invalid", policy.reject_invalid, parse_boolean); })
        .and_then([&] { return map.take_set("hooks", policy.hooks, parse_name<Hook>); })
        .and_then([&] { return map.take("priority", policy.priority, parse_priority); })
        .and_then([&] { return take_log(map, policy.log); })
        .and_then([&] { return map.take("remember_flushed_for", policy.remember_flushed_for, parse_memory_time); })
        .and_then([&] { return map.take("remember_at_most", policy.remember_at_most, parse_memory_size); });
}

}  // namespace

Result<Policy> read_policy_file(const std::filesystem::path& path) {
    ASSIGN_OR_RETURN(const auto text, config::read_small_file(path));
    return parse_policy(text, path.stem().native(), path.native());
}

Result<Policy> parse_policy(std::string_view text, std::string_view name, std::string_view where) {
    if (auto checked = parse_policy_name(name); !checked)
        return tl::unexpected(std::move(checked.error()).within(where));
    ASSIGN_OR_RETURN(const auto map,
                     config::parse_yaml(std::string{text}, where,
                                        {"description", "stream_exception_policy", "scope", "reject_invalid", "hooks",
                                         "priority", "log", "remember_flushed_for", "remember_at_most"}));
    Policy policy;
    policy.name = name;
    RETURN_IF_ERROR(take_policy(map, policy));
    if (policy.reject_invalid && (policy.exception != StreamException::Reject || policy.scope != MidstreamScope::All)) {
        return invalid("{}: reject_invalid: takes stream_exception_policy reject and scope all", where);
    }
    return policy;
}

}  // namespace headgate::midstream
