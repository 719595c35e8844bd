// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/flush_policy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"

namespace headgate::operations {
namespace {

/// For messages: `TCP`, or `protocol 89` where the protocol has no name here.
std::string upper_case(Protocol protocol) {
    const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
    std::string name{to_string(protocol)};
    if (std::ranges::none_of(name, is_lower)) return fmt::format("protocol {}", name);
    std::ranges::transform(name, name.begin(),
                           [&](char c) { return is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c; });
    return name;
}

/// `TCP, UDP and ICMP`.
std::string enumerated(std::span<const std::string> names) {
    if (names.size() < 2) return names.empty() ? std::string{} : names.front();
    return fmt::format("{} and {}", fmt::join(names.first(names.size() - 1), ", "), names.back());
}

/// Compares the properties that the kernel's rules reveal.
bool same_in_kernel(const StreamExceptionPolicy& a, const StreamExceptionPolicy& b) {
    auto hooks = b.hooks;
    std::ranges::sort(hooks);
    return a.name == b.name && a.exception == b.exception && a.scope == b.scope &&
           a.reject_invalid == b.reject_invalid && a.hooks == hooks && a.priority == b.priority &&
           a.remember_flushed_for == b.remember_flushed_for && a.remember_at_most == b.remember_at_most;
}

}  // namespace

Result<void> FlushPolicy::inspect() {
    ASSIGN_OR_RETURN(auto in_force, ruleset_.in_force());
    in_force_ = std::move(in_force);
    policy_ = in_force_;
    ASSIGN_OR_RETURN(const auto condition, ruleset_.condition());
    condition_ = condition;
    ASSIGN_OR_RETURN(const auto picks_up, table_.tcp_loose());
    tcp_loose_ = picks_up;
    if (request_.policy) {
        RETURN_IF_ERROR(judge_wanted());
        policy_ = *request_.policy;
        condition_ = RulesetCondition::AsApplied;
    }
    if (!request_.require_policy) return {};
    const auto warning = return_warning({Protocol::Tcp});
    return warning.empty() ? Result<void>{} : refused("{}: nothing was flushed", warning);
}

/// A policy with scope all concerns the whole gateway: a flush must neither apply nor replace one.
Result<void> FlushPolicy::judge_wanted() const {
    const auto& wanted = *request_.policy;
    if (in_force_ && same_in_kernel(*in_force_, wanted)) return {};
    if (wanted.scope == MidstreamScope::All) {
        return refused(
            "policy {} has scope all; to have it in force, say headgate policy apply {}: nothing was flushed",
            wanted.name, wanted.name);
    }
    if (in_force_ && in_force_->scope == MidstreamScope::All) {
        return refused(
            "policy {} with scope all is in force; to have {} instead, say headgate policy apply {}: nothing was "
            "flushed",
            in_force_->name, wanted.name, wanted.name);
    }
    return {};
}

/// Checked before any change: more flows than the sets hold would need a window, which may be forbidden.
Result<void> FlushPolicy::judge_number() const {
    if (!request_.own_flows_alone || !remembers()) return {};
    for (const auto& [kind, count] : flows_) {
        if (!is_connection_oriented(kind.first) || !too_many(kind.first)) continue;
        return refused(
            "policy {} remembers {} flows at most; more take a window, which catches packets of other firewalls in the "
            "same network namespace, and these credentials are not for those: nothing was flushed",
            policy_->name, policy_->remember_at_most);
    }
    return {};
}

Result<Application> FlushPolicy::enforce() {
    RETURN_IF_ERROR(judge_number());
    ASSIGN_OR_RETURN(auto in_force, ruleset_.in_force());
    if (in_force != in_force_) return refused("the stream exception policy was changed meanwhile: nothing was flushed");
    if (request_.policy) return ruleset_.apply(*request_.policy);
    ASSIGN_OR_RETURN(const auto condition, ruleset_.condition());
    if (condition == condition_) return Application::NotNeeded;
    return refused("another process has changed the table inet headgate meanwhile: nothing was flushed");
}

void FlushPolicy::conclude(FlowOperation& operation) {
    if (!policy_) return;
    const auto condition = ruleset_.condition();
    fell_ = !condition || *condition != condition_;
    operation.blocked = operation.counts.flushed != 0 && blocks();
    if (!operation.blocked) return;
    operation.blocked_until = first_forgotten_;
    if (!policy_->remember_flushed_for) operation.last_blocked_until = last_forgotten_;
}

bool FlushPolicy::blocks() const {
    if (fell_ || policy_->exception == StreamException::Continue) return false;
    const auto protocols = counted_protocols();
    const bool recognizes =
        remembers() ? first_forgotten_.has_value() : std::ranges::any_of(protocols, is_connection_oriented);
    return recognizes && return_warning(protocols).empty();
}

std::set<Protocol> FlushPolicy::counted_protocols() const {
    std::set<Protocol> protocols;
    for (const auto& [kind, count] : flows_)
        protocols.insert(kind.first);
    return protocols;
}

/// Whether conntrack creates a flow from any packet of the protocol. For SCTP only from packets that begin an
/// association or another path of one (nf_conntrack_proto_sctp.c, sctp_new).
bool FlushPolicy::is_picked_up(Protocol protocol) const {
    return protocol == Protocol::Tcp ? tcp_loose_ : !is_connection_oriented(protocol);
}

/// Describes what happens to flushed flows whose packets no policy catches.
std::string FlushPolicy::fate(const std::set<Protocol>& protocols) const {
    std::vector<std::string> picked_up;
    std::vector<std::string> others;
    for (const auto protocol : protocols)
        (is_picked_up(protocol) ? picked_up : others).push_back(upper_case(protocol));
    std::vector<std::string> fates;
    if (!picked_up.empty())
        fates.push_back(fmt::format("{} flows come back with their next packet", enumerated(picked_up)));
    if (!others.empty()) {
        fates.push_back(fmt::format("packets of flushed {} flows are judged by your rules alone", enumerated(others)));
    }
    return fmt::format("{}", fmt::join(fates, "; "));
}

/// Whether the protocol has flows in a family with more than fit: each family's set is shared by all protocols with
/// ports.
bool FlushPolicy::too_many(Protocol protocol) const {
    std::map<Family, std::uint64_t> with_ports;
    for (const auto& [kind, count] : flows_) {
        if (has_ports(kind.first)) with_ports[kind.second] += count;
    }
    return std::ranges::any_of(with_ports, [&](const auto& each) {
        return each.second > policy_->remember_at_most && flows_.contains({protocol, each.first});
    });
}

Result<void> FlushPolicy::remember(std::span<const FlowRow> rows) {
    if (!remembers()) return {};
    std::vector<FlowRow> to_remember;
    for (const auto& row : rows) {
        const auto protocol = row.flow.original.protocol;
        if (is_connection_oriented(protocol) && !windows_.contains(protocol) && too_many(protocol)) {
            RETURN_IF_ERROR(open_window(protocol));
        }
        if (!windows_.contains(protocol)) to_remember.push_back(row);
    }
    return remember_or_open_windows(to_remember);
}

Result<Remembered> FlushPolicy::remember_all(std::span<const FlowRow> rows) {
    const auto now = clock_.now();
    auto remembered = ruleset_.remember(rows, policy_->remember_flushed_for);
    if (!remembered || *remembered != Remembered::All) return remembered;
    for (const auto& row : rows)
        note_forgotten(now + memory_of(row.flow, policy_->remember_flushed_for));
    return remembered;
}

void FlushPolicy::note_forgotten(Timestamp when) {
    const auto second = std::chrono::floor<std::chrono::seconds>(when);
    first_forgotten_ = std::min<Timestamp>(first_forgotten_.value_or(second), second);
    last_forgotten_ = std::max<Timestamp>(last_forgotten_.value_or(second), second);
}

/// Without room, a window recognizes connection-oriented flows by their packets; other flows cannot be recognized.
Result<void> FlushPolicy::remember_or_open_windows(const std::vector<FlowRow>& rows) {
    ASSIGN_OR_RETURN(const auto remembered, remember_all(rows));
    if (remembered == Remembered::All) return {};
    std::vector<FlowRow> others;
    for (const auto& row : rows) {
        if (!is_connection_oriented(row.flow.original.protocol)) {
            others.push_back(row);
        } else
            RETURN_IF_ERROR(open_window(row.flow.original.protocol));
    }
    return remember_what_fits(others);
}

Result<void> FlushPolicy::remember_what_fits(std::span<const FlowRow> rows) {
    if (rows.empty()) return {};
    if (!full_) {
        ASSIGN_OR_RETURN(const auto remembered, remember_all(rows));
        if (remembered == Remembered::All) return {};
        const auto half = rows.size() / 2;
        if (half != 0) {
            return remember_what_fits(rows.first(half)).and_then([&] {
                return remember_what_fits(rows.subspan(half));
            });
        }
        full_ = true;
    }
    not_remembered_ += rows.size();
    return {};
}

void FlushPolicy::forget(std::span<const FlowRow> rows) {
    if (remembers() && !ruleset_.forget(rows)) not_forgotten_ += rows.size();
}

Result<void> FlushPolicy::open_window(Protocol protocol) {
    if (request_.own_flows_alone) {
        return refused(
            "there is no more room to remember flushed flows, and a window would catch packets of other firewalls in "
            "the same network namespace, which these credentials are not for: the rest was left alone");
    }
    if (!windows_.insert(protocol).second) return {};
    note_forgotten(clock_.now() + policy_->window_time());
    return ruleset_.open_window(protocol, policy_->window_time());
}

/// Why flushed flows of these protocols could continue or bypass the policy; empty if the policy holds them.
std::string FlushPolicy::return_warning(const std::set<Protocol>& protocols) const {
    if (protocols.empty()) return {};
    if (condition_ == RulesetCondition::Changed) {
        return "another process has changed the table inet headgate since the stream exception policy was applied "
               "(headgate "
               "policy status)";
    }
    if (policy_ && condition_ == RulesetCondition::Unverified) {
        return "whether the stream exception policy is complete is not known (headgate policy status)";
    }
    if (condition_ == RulesetCondition::Missing) {
        return fmt::format("another process has removed the stream exception policy that was applied: {}",
                           fate(protocols));
    }
    if (!policy_) return fmt::format("no stream exception policy is in force: {}", fate(protocols));
    if (policy_->exception == StreamException::Continue) {
        const auto picked_up = std::ranges::any_of(protocols, [&](Protocol each) { return is_picked_up(each); });
        const bool tcp = tcp_loose_ && protocols.contains(Protocol::Tcp);
        return picked_up ? fmt::format("the stream exception policy is continue{}: {}",
                                       tcp ? " and net.netfilter.nf_conntrack_tcp_loose is 1" : "", fate(protocols))
                         : std::string{};
    }
    for (const auto hook : {Hook::Forward, Hook::Input}) {
        if (std::ranges::find(policy_->hooks, hook) != policy_->hooks.end()) continue;
        return fmt::format("policy {} does not look at packets in the hook {}: flows that pass there come back",
                           policy_->name, to_string(hook));
    }
    return {};
}

std::vector<std::string> FlushPolicy::warnings() const {
    std::vector<std::string> warnings;
    const auto protocols = counted_protocols();
    if (auto warning = return_warning(protocols); !warning.empty()) warnings.push_back(std::move(warning));
    if (fell_) warnings.emplace_back("the stream exception policy was changed or removed while flows were being ended");
    const bool replaces = request_.policy && in_force_ && in_force_->name != request_.policy->name;
    if (replaces && !flows_.empty()) {
        warnings.push_back(fmt::format("policy {} replaces {}", request_.policy->name, in_force_->name));
    }
    if (not_forgotten_ != 0) {
        const auto& time = policy_->remember_flushed_for;
        warnings.push_back(fmt::format("{} flows that were left alone are remembered as flushed, {}", not_forgotten_,
                                       time ? fmt::format("for {}", rounded_duration(*time)) : "until their timeouts"));
    }
    if (policy_ && policy_->scope == MidstreamScope::All && policy_->exception != StreamException::Continue) {
        if (!std::ranges::all_of(protocols, is_connection_oriented)) {
            warnings.emplace_back(
                "scope all applies to TCP and SCTP alone: flows of other protocols come back with their next packet");
        }
        if (protocols.contains(Protocol::Sctp)) {
            warnings.emplace_back(
                "scope all treats a HEARTBEAT of SCTP as the beginning of another path: SCTP flows can come back with "
                "one");
        }
    }
    if (!windows_.empty()) {
        std::vector<std::string> names;
        for (const auto protocol : windows_)
            names.push_back(upper_case(protocol));
        warnings.push_back(
            fmt::format("there is no room to remember so many flows ({} at most): for {} every midstream packet of {} "
                        "is taken for one of a flushed flow",
                        policy_->remember_at_most, rounded_duration(policy_->window_time()), enumerated(names)));
    }
    if (not_remembered_ != 0) {
        warnings.push_back(
            fmt::format("there is no room to remember {} flow{} of protocols without connections: what follows on "
                        "them is judged by your rules alone",
                        not_remembered_, not_remembered_ == 1 ? "" : "s"));
    }
    return warnings;
}

}  // namespace headgate::operations
