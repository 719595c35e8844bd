#include "operations/flush_policy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>

namespace headgate::operations {
namespace {

std::string upper_case(Protocol protocol) {
    std::string name{to_string(protocol)};
    std::ranges::transform(name, name.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
    return name;
}

/// The same policy, as far as the kernel can tell.
bool same_in_kernel(const StreamExceptionPolicy& a, const StreamExceptionPolicy& b) {
    auto hooks = b.hooks;
    std::ranges::sort(hooks);
    return a.name == b.name && a.exception == b.exception && a.scope == b.scope && a.hooks == hooks &&
           a.priority == b.priority && a.remember_flushed_for == b.remember_flushed_for &&
           a.remember_at_most == b.remember_at_most;
}

}  // namespace

Result<void> FlushPolicy::settle() {
    auto in_force = ruleset_.in_force();
    if (!in_force) return tl::unexpected(std::move(in_force.error()));
    in_force_ = std::move(*in_force);
    policy_ = in_force_;
    const auto condition = ruleset_.condition();
    if (!condition) return tl::unexpected(condition.error());
    condition_ = *condition;
    const auto picks_up = table_.picks_up_tcp();
    if (!picks_up) return tl::unexpected(picks_up.error());
    picks_up_tcp_ = *picks_up;
    if (request_.wanted) {
        if (auto judged = judge_wanted(); !judged) return judged;
        policy_ = *request_.wanted;
        condition_ = RulesetCondition::AsApplied;
    }
    if (!request_.required) return {};
    if (const auto warning = return_warning(); !warning.empty()) return refused("{}: nothing was flushed", warning);
    return {};
}

/// A policy on all midstream packets is a decision about the whole gateway, which a flush neither makes nor takes back.
Result<void> FlushPolicy::judge_wanted() const {
    const auto& wanted = *request_.wanted;
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

Result<void> FlushPolicy::enforce() {
    auto in_force = ruleset_.in_force();
    if (!in_force) return tl::unexpected(std::move(in_force.error()));
    if (*in_force != in_force_)
        return refused("the stream exception policy was changed meanwhile: nothing was flushed");
    if (request_.wanted) return ruleset_.apply(*request_.wanted).map([](Application) {});
    const auto condition = ruleset_.condition();
    if (!condition) return tl::unexpected(condition.error());
    if (*condition == condition_) return {};
    return refused("somebody has changed the table inet headgate meanwhile: nothing was flushed");
}

void FlushPolicy::conclude() {
    if (!policy_) return;
    const auto condition = ruleset_.condition();
    fell_ = !condition || *condition != condition_;
}

bool FlushPolicy::counted(Protocol protocol) const {
    return std::ranges::any_of(flows_, [&](const auto& each) { return each.first.first == protocol; });
}

/// Whether flows of the protocol are among more than fit: the sets hold so many of each family, all protocols with
/// ports together.
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
            if (auto opened = open_window(protocol); !opened) return opened;
        }
        if (!windows_.contains(protocol)) to_remember.push_back(row);
    }
    return remember_or_open_windows(to_remember);
}

/// Where there is no room, connection-oriented flows are still told by their packets; others are not.
Result<void> FlushPolicy::remember_or_open_windows(const std::vector<FlowRow>& rows) {
    const auto remembered = ruleset_.remember(rows, policy_->remember_flushed_for);
    if (!remembered) return tl::unexpected(remembered.error());
    if (*remembered == Remembered::All) return {};
    std::vector<FlowRow> others;
    for (const auto& row : rows) {
        if (!is_connection_oriented(row.flow.original.protocol)) {
            others.push_back(row);
        } else if (auto opened = open_window(row.flow.original.protocol); !opened) {
            return opened;
        }
    }
    return remember_what_fits(others);
}

Result<void> FlushPolicy::remember_what_fits(std::span<const FlowRow> rows) {
    if (rows.empty()) return {};
    if (!full_) {
        const auto remembered = ruleset_.remember(rows, policy_->remember_flushed_for);
        if (!remembered) return tl::unexpected(remembered.error());
        if (*remembered == Remembered::All) return {};
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
    if (!windows_.insert(protocol).second) return {};
    return ruleset_.open_window(protocol, policy_->remember_flushed_for);
}

/// Why flushed TCP flows could come back, or at least not meet the policy; empty when it holds them.
std::string FlushPolicy::return_warning() const {
    const std::string fate = picks_up_tcp_ ? "TCP flows come back with their next packet"
                                           : "packets of flushed TCP flows are judged by your rules alone";
    if (condition_ == RulesetCondition::Changed) {
        return "somebody has changed the table inet headgate since the stream exception policy was applied (headgate "
               "policy status)";
    }
    if (condition_ == RulesetCondition::Unverified) {
        return "whether the stream exception policy is complete is not known (headgate policy status)";
    }
    if (condition_ == RulesetCondition::Missing) {
        return fmt::format("somebody has removed the stream exception policy that was applied: {}", fate);
    }
    if (!policy_) return fmt::format("no stream exception policy is in force: {}", fate);
    if (policy_->exception == StreamException::Continue) {
        return picks_up_tcp_ ? fmt::format(
                                   "the stream exception policy is continue and "
                                   "net.netfilter.nf_conntrack_tcp_loose is 1: {}",
                                   fate)
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
    if (counted(Protocol::Tcp)) {
        if (auto warning = return_warning(); !warning.empty()) warnings.push_back(std::move(warning));
    }
    if (fell_) warnings.emplace_back("the stream exception policy was changed or removed while flows were being ended");
    if (request_.wanted && in_force_ && in_force_->name != request_.wanted->name) {
        warnings.push_back(fmt::format("policy {} takes the place of {}", request_.wanted->name, in_force_->name));
    }
    if (not_forgotten_ != 0) {
        warnings.push_back(fmt::format("{} flows that were left alone are remembered as flushed, for {} s",
                                       not_forgotten_, policy_->remember_flushed_for.count()));
    }
    const bool without_connections =
        std::ranges::any_of(flows_, [](const auto& each) { return !is_connection_oriented(each.first.first); });
    if (policy_ && policy_->scope == MidstreamScope::All && policy_->exception != StreamException::Continue &&
        without_connections) {
        warnings.emplace_back(
            "scope all tells TCP and SCTP alone: flows of other protocols come back with their next packet");
    }
    if (!windows_.empty()) {
        std::vector<std::string> names;
        for (const auto protocol : windows_)
            names.push_back(upper_case(protocol));
        warnings.push_back(fmt::format(
            "there is no room to remember so many flows ({} at most): for {} s every midstream packet of {} "
            "is taken for one of a flushed flow",
            policy_->remember_at_most, policy_->remember_flushed_for.count(), fmt::join(names, " and ")));
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
