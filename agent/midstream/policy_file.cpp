// SPDX-License-Identifier: GPL-2.0-or-later
#include "midstream/policy_file.h"

#include <algorithm>

#include "base/printable.h"
#include "base/scalars.h"
#include "config/configuration.h"
#include "config/settings_reader.h"
#include "config/small_file.h"
#include "config/value_types.h"

namespace headgate::midstream {
namespace {

using config::SettingMap;
using config::ValueType;
using Policy = StreamExceptionPolicy;

std::string unchanged(const std::string& text) {
    return text;
}

ValueType<std::string> one_line() {
    const auto parse = [](std::string_view text) -> Result<std::string> {
        if (find_unprintable(text)) return invalid("must be one line without control characters");
        return std::string{text};
    };
    return {"one line", parse, unchanged};
}

ValueType<std::string> log_prefix() {
    const auto parse = [](std::string_view text) -> Result<std::string> {
        if (text.empty() || text.size() > kLongestLogPrefix) {
            return invalid("takes 1 to {} characters, not {}", kLongestLogPrefix, text.size());
        }
        const auto fits = [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\' && c != '$'; };
        if (!std::ranges::all_of(text, fits)) return invalid("takes printable ASCII alone, and none of \", \\ and $");
        return std::string{text};
    };
    return {fmt::format("1 to {} characters of printable ASCII, but no `\"`, `\\` and `$`", kLongestLogPrefix), parse,
            unchanged};
}

ValueType<int> priority() {
    auto type = config::number(Policy::kFirstPriority, Policy::kLastPriority);
    type.parse = [parse = type.parse](std::string_view text) -> Result<int> {
        auto value = parse(text);
        if (value) return value;
        return invalid("{}; conntrack knows a packet only after priority -200, and its helpers come at 300",
                       value.error().message);
    };
    return type;
}

ValueType<Hook> hook() {
    auto type = config::choice<Hook>();
    type.rule = "some of `forward`, `input` and `output`";
    return type;
}

ValueType<std::optional<std::chrono::seconds>> memory() {
    const auto time = config::duration(std::chrono::seconds{1}, Policy::kLongestMemory);
    const auto parse = [parse = time.parse](std::string_view text) -> Result<std::optional<std::chrono::seconds>> {
        if (text == Policy::kConnectionMemory) return std::optional<std::chrono::seconds>{};
        if (text.find_first_of("0123456789") == std::string_view::npos) {
            return invalid("\"{}\" is neither a duration such as 90s, 5m or 12h nor {}", text,
                           Policy::kConnectionMemory);
        }
        ASSIGN_OR_RETURN(const auto value, parse(text));
        return value;
    };
    const auto print = [print = time.print](const std::optional<std::chrono::seconds>& value) {
        return value ? print(*value) : std::string{Policy::kConnectionMemory};
    };
    return {fmt::format("{}, or `{}`", time.rule, Policy::kConnectionMemory), parse, print};
}

SettingMap settings_of(PacketLog& log) {
    SettingMap known;
    known.add(config::required("prefix", log.prefix, log_prefix(), "\"headgate: \"", "The beginning of each line."));
    known.add(config::with_default("packets_per_second", log.packets_per_second,
                                   config::number<std::uint32_t>(1, 10'000),
                                   "The maximum number of packets logged in a second."));
    return known;
}

Result<void> check(const Policy& policy) {
    if (!policy.reject_invalid) return {};
    if (policy.exception == StreamException::Reject && policy.scope == MidstreamScope::All) return {};
    return invalid("reject_invalid: requires stream_exception_policy reject and scope all");
}

}  // namespace

SettingMap settings_of(Policy& policy) {
    SettingMap known;
    known.add(config::optional("description", policy.description, one_line(), "Drops packets of flushed flows",
                               "A description for operators."));
    known.add(config::required(
        "stream_exception_policy", policy.exception, config::choice<StreamException>(), "drop",
        "What happens to a midstream packet. `drop`: silence; both ends retry until they time out, with TCP after "
        "minutes. `reject`: its sender receives a reply at once, a reset for TCP, for everything else ICMP "
        "\"administratively prohibited\". `continue`: it is counted, and then the operator's own rules see it as the "
        "first packet of a new flow; for TCP that requires `net.netfilter.nf_conntrack_tcp_loose=1`, the kernel's "
        "default."));
    known.add(config::with_default(
        "scope", policy.scope, config::choice<MidstreamScope>(),
        "Which midstream packets. `flushed`: packets of flows that headgate flushed recently, from either end, before "
        "or after NAT; this covers every protocol, since the flush recorded their addresses and ports. `all`: every "
        "midstream packet of TCP and SCTP, also those of connections from before a reboot or a failover, and those "
        "that the kernel classifies as invalid because they fall out of the window of a flow that it tracks "
        "(`net.netfilter.nf_conntrack_tcp_be_liberal=1` keeps it from classifying those as invalid). The policy lets "
        "packets through that conntrack treats as the beginning of an SCTP association or of another SCTP path "
        "(HEARTBEAT)."));
    known.add(config::with_default(
        "reject_invalid", policy.reject_invalid, config::boolean(),
        "Whether `reject` with scope `all` also rejects packets that the kernel classifies as invalid. Otherwise they "
        "are dropped, since a reset in reply to a packet that fell out of the window of a healthy connection would end "
        "that connection. With `net.netfilter.nf_conntrack_tcp_loose=0` the kernel classifies every midstream packet "
        "of TCP as invalid, so only `true` rejects any."));
    known.add(config::set_with_default("hooks", policy.hooks, hook(),
                                       "The hooks of its chains. `forward`: packets that pass through. `input`: "
                                       "packets to the gateway itself; keep it "
                                       "with masquerading. `output`: packets that the gateway itself sends."));
    known.add(config::with_default(
        "priority", policy.priority, priority(),
        "The priority of its chains; a lower one runs earlier. Conntrack runs at -200; the default is before all usual "
        "priorities."));
    known.add(config::map(
        "log", policy.log, [](PacketLog& log) { return settings_of(log); },
        "What the kernel logs of the packets that the policy catches; without this key, nothing."));
    known.add(config::with_default(
        "remember_flushed_for", policy.remember_flushed_for, memory(),
        "How long a flushed flow is remembered, and its packets are caught; later ones are judged by the operator's "
        "rules. A connection that is silent for longer, such as an idle SSH session, can come back. `connection`: each "
        "flow as long as its own conntrack timeout had left, with TCP up to five days; `5m` where that is not known, "
        "as of a flow in a flowtable. A new connection of TCP or SCTP between the same addresses and ports is let "
        "through nevertheless; when the other side has accepted it, the flushed flow is forgotten."));
    known.add(config::with_default(
        "remember_at_most", policy.remember_at_most, config::number<std::uint32_t>(1, Policy::kLargestMemory),
        "How many flows are remembered at a time, of IPv4 and of IPv6 each. A flush of more opens a window: for "
        "`remember_flushed_for`, with `connection` for `5m`, the policy handles every midstream packet of TCP and SCTP "
        "as one of a flushed flow. A policy that remembers fewer flows than are remembered already is refused until "
        "enough of them are forgotten."));
    known.check = [&policy] { return check(policy); };
    return known;
}

Result<std::string> parse_file_name(std::string_view text) {
    if (text == config::kNoPolicy || text == config::kPolicyRemoved) {
        return invalid("\"{}\" can't be a policy's name: stream_exception_policy: {} is a setting that names no policy",
                       text, text);
    }
    return parse_policy_name(text);
}

Result<Policy> read_policy_file(const std::filesystem::path& path) {
    ASSIGN_OR_RETURN(const auto text, config::read_small_file(path));
    return parse_policy(text, path.stem().native(), path.native());
}

Result<Policy> parse_policy(std::string_view text, std::string_view name, std::string_view where) {
    Policy policy;
    if (auto checked = parse_file_name(name)) {
        policy.name = std::move(*checked);
    } else {
        return tl::unexpected(std::move(checked.error()).within(where));
    }
    config::FaultList faults;
    faults.read(std::string{text}, where, settings_of(policy));
    RETURN_IF_ERROR(faults.verdict());
    return policy;
}

}  // namespace headgate::midstream
