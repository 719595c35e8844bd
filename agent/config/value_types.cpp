// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/value_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/printable.h"
#include "base/scalars.h"
#include "base/text.h"

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
    if (text.size() == 12 && has_only_digits(text)) return std::string{text};
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

template <typename T>
ValueType<T> within(std::string_view kind, T least, T most, Result<T> (*parse)(std::string_view),
                    std::string (*print)(T)) {
    const auto bounds = fmt::format("{}..{}", print(least), print(most));
    const auto parse_within = [=](std::string_view text) -> Result<T> {
        auto value = parse(text);
        if (value && (*value < least || *value > most)) return invalid("{} is not within {}", text, bounds);
        return value;
    };
    return {fmt::format("a {} within {}", kind, bounds), parse_within, print};
}

ValueType<FlowFilter> filter_type(Result<FlowFilter> (*parse)(std::string_view)) {
    return {"filters, as `--filter` takes them", parse,
            [](const FlowFilter& value) { return headgate::to_string(value); }};
}

struct DurationUnit {
    std::string_view name;
    seconds length;
};

constexpr DurationUnit kDurationUnits[] = {
    {"d", std::chrono::days{1}},
    {"h", std::chrono::hours{1}},
    {"m", std::chrono::minutes{1}},
    {"s", seconds{1}},
    {"", seconds{1}},
};

struct Scheme {
    std::string_view name;
    SyslogTransport transport;
    std::uint16_t usual_port;
};

constexpr std::array kSchemes = {Scheme{"udp", SyslogTransport::Udp, 514}, Scheme{"tcp", SyslogTransport::Tcp, 601},
                                 Scheme{"unix", SyslogTransport::Unix, 0}};

struct HostAndPort {
    std::string_view host;
    std::optional<std::string_view> port;
    Family family{};
};

std::optional<HostAndPort> split(std::string_view text) {
    HostAndPort parts;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        parts.host = text.substr(1, end - 1);
        parts.family = Family::Ipv6;
        text.remove_prefix(end + 1);
    } else {
        parts.host = text.substr(0, text.find(':'));
        parts.family = Family::Ipv4;
        text.remove_prefix(parts.host.size());
    }
    if (text.empty()) return parts;
    if (!text.starts_with(':')) return std::nullopt;
    parts.port = text.substr(1);
    return parts;
}

Result<SyslogTarget> parse_remote(const Scheme& scheme, std::string_view text, std::string_view where) {
    const auto parts = split(where);
    if (!parts) return invalid("\"{}\": behind the address stands nothing or a colon and a port", text);
    const auto written = parse_address_as_written(parts->host);
    if (!written || written->family != parts->family) {
        return invalid("\"{}\": \"{}\" is not an {} address{}", text, parts->host,
                       parts->family == Family::Ipv4 ? "IPv4" : "IPv6",
                       parts->family == Family::Ipv4 ? ", and one of IPv6 stands in brackets" : "");
    }
    const auto port = parts->port ? parse_number<std::uint16_t>(*parts->port, 1, 65535) : scheme.usual_port;
    if (!port) return tl::unexpected(Error{port.error()}.within("port"));
    return SyslogTarget{scheme.transport, *parse_address(parts->host), *port, {}};
}

const Scheme* scheme_of(std::string_view text) {
    for (const auto& each : kSchemes) {
        if (text.starts_with(each.name) && text.substr(each.name.size()).starts_with("://")) return &each;
    }
    return nullptr;
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
    return within("duration", shortest, longest, parse_duration, duration_text);
}

ValueType<std::uint64_t> size(std::uint64_t smallest, std::uint64_t largest) {
    return within("size", smallest, largest, parse_size, size_text);
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

Result<seconds> parse_duration(std::string_view text) {
    const auto* const unit =
        std::ranges::find_if(kDurationUnits, [&](const auto& each) { return text.ends_with(each.name); });
    const bool negative = text.starts_with('-');
    auto digits = text.substr(negative ? 1 : 0);
    digits.remove_suffix(unit->name.size());
    if (!has_only_digits(digits)) return invalid("\"{}\" is not a duration such as 90s, 5m or 12h", text);
    if (negative) return invalid("{} is negative", text);
    const auto count = parse_unsigned<std::uint64_t>(digits);
    if (!count || *count > static_cast<std::uint64_t>(seconds::max() / unit->length)) {
        return invalid("{} is longer than a duration can be", text);
    }
    return static_cast<seconds::rep>(*count) * unit->length;
}

std::string duration_text(seconds duration) {
    const auto* const unit = std::ranges::find_if(kDurationUnits, [&](const DurationUnit& each) {
        return duration >= each.length && duration % each.length == seconds{0};
    });
    return unit == std::end(kDurationUnits) ? "0s" : fmt::format("{}{}", duration / unit->length, unit->name);
}

Result<SyslogTarget> parse_syslog_target(std::string_view text) {
    const auto* const scheme = scheme_of(text);
    if (scheme == nullptr) return invalid("\"{}\" does not begin with udp://, tcp:// or unix://", text);
    const auto where = text.substr(scheme->name.size() + 3);
    if (scheme->transport != SyslogTransport::Unix) return parse_remote(*scheme, text, where);
    return parse_socket_path(where).map([](std::filesystem::path socket) {
        return SyslogTarget{SyslogTransport::Unix, {}, 0, std::move(socket)};
    });
}

std::string to_string(const SyslogTarget& target) {
    if (target.transport == SyslogTransport::Unix) return fmt::format("unix://{}", target.socket.native());
    const auto* const scheme = target.transport == SyslogTransport::Udp ? "udp" : "tcp";
    const auto address = headgate::to_string(target.address);
    const bool is_ipv6 = target.address.family == Family::Ipv6;
    return fmt::format("{}://{}{}{}:{}", scheme, is_ipv6 ? "[" : "", address, is_ipv6 ? "]" : "", target.port);
}

}  // namespace headgate::config
