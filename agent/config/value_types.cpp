// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/value_types.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/printable.h"
#include "base/resource_names.h"
#include "base/scalars.h"
#include "config/duration.h"
#include "config/syslog_target.h"

namespace headgate::config {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

std::string as_it_is(const std::string& text) {
    return text;
}

std::string path_text(const fs::path& path) {
    return path.native();
}

Result<std::string> parse_account(std::string_view text) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (text.size() == 12 && std::ranges::all_of(text, is_digit)) return std::string{text};
    return invalid("\"{}\" is not a number of 12 digits", text);
}

Result<std::string> parse_network_namespace(std::string_view text) {
    if (text.find('/') != std::string_view::npos) {
        return parse_absolute_path(text).map([](const fs::path& path) { return path.native(); });
    }
    const bool is_name = !text.empty() && text != "." && text != ".." && !find_unprintable(text);
    if (!is_name) return invalid("\"{}\" is not a network namespace", text);
    return std::string{text};
}

Result<FlowFilter> parse_protected_filter(std::string_view text) {
    auto filter = parse_flow_filter(text);
    if (filter && filter->matches_everything()) {
        return invalid("\"{}\" leaves nothing out: no flow could be flushed", text);
    }
    return filter;
}

Result<bool> parse_true(std::string_view text) {
    if (text == "true") return true;
    return invalid("\"{}\" is not true; what is not wanted is left out", text);
}

ValueType<FlowFilter> filter_type(Result<FlowFilter> (*parse)(std::string_view)) {
    return {"filters, as `--filter` takes them", parse,
            [](const FlowFilter& value) { return headgate::to_string(value); }};
}

}  // namespace

ValueType<std::string> name() {
    return {fmt::format("1 to {} letters, digits and `-`", kLongestName), parse_resource_name, as_it_is};
}

ValueType<std::string> account() {
    return {"12 digits", parse_account, as_it_is, Notation::Digits};
}

ValueType<std::string> policy() {
    return {"the name of a policy, `none` or `removed`", parse_policy_name, as_it_is};
}

ValueType<std::string> network_namespace() {
    return {"a name under `/run/netns`, or an absolute path", parse_network_namespace, as_it_is};
}

ValueType<fs::path> path() {
    return {"an absolute path", parse_absolute_path, path_text};
}

ValueType<fs::path> socket_path() {
    return {fmt::format("an absolute path of {} bytes at most", kLongestSocketPath), parse_socket_path, path_text};
}

ValueType<seconds> duration(seconds shortest, seconds longest) {
    const auto bounds = fmt::format("{}..{}", duration_text(shortest), duration_text(longest));
    const auto parse = [=](std::string_view text) -> Result<seconds> {
        auto value = parse_duration(text);
        if (value && (*value < shortest || *value > longest)) return invalid("{} is not within {}", text, bounds);
        return value;
    };
    return {fmt::format("a duration within {}", bounds), parse, duration_text};
}

ValueType<std::uint64_t> size(std::uint64_t smallest, std::uint64_t largest) {
    const auto bounds = fmt::format("{}..{}", size_text(smallest), size_text(largest));
    const auto parse = [=](std::string_view text) -> Result<std::uint64_t> {
        auto value = parse_size(text);
        if (value && (*value < smallest || *value > largest)) return invalid("{} is not within {}", text, bounds);
        return value;
    };
    return {fmt::format("a size within {}", bounds), parse, size_text};
}

ValueType<bool> boolean() {
    return {"`true` or `false`", parse_boolean, [](bool value) { return fmt::format("{}", value); }, Notation::Literal};
}

ValueType<bool> only_true() {
    return {"`true`", parse_true, [](bool) { return std::string{"true"}; }, Notation::Literal};
}

ValueType<Address> address() {
    return {"an IPv4 or IPv6 address", parse_address, [](const Address& value) { return headgate::to_string(value); }};
}

ValueType<FlowFilter> protected_filter() {
    return filter_type(parse_protected_filter);
}

ValueType<FlowFilter> flow_filter() {
    return filter_type(parse_flow_filter);
}

std::string alternatives(std::span<const std::string_view> names) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
        text += fmt::format("`{}`", names[i]);
    }
    return text;
}

ValueType<FlowLogReason> flow_log_reason() {
    return {"`all`, or some of `flushed`, `closed`, `timeout` and `evicted`", headgate::parse_name<FlowLogReason>,
            [](FlowLogReason value) { return std::string{to_string(value)}; }};
}

ValueType<SyslogTarget> syslog_target() {
    return {"`udp://ADDRESS:PORT`, `tcp://ADDRESS:PORT` or `unix://PATH`", parse_syslog_target,
            [](const SyslogTarget& value) { return to_string(value); }};
}

}  // namespace headgate::config
