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
    if (condition) condition_ = *condition;
    const auto picks_up = table_.picks_up_tcp();
    if (!picks_up) return tl::unexpected(picks_up.error());
    picks_up_tcp_ = *picks_up;
    if (request_.wanted) {
        if (auto judged = judge_change(); !judged) return judged;
        policy_ = *request_.wanted;
        condition_ = RulesetCondition::AsApplied;
    }
    if (!request_.required) return {};
    if (const auto warning = return_warning(); !warning.empty()) return refused("{}: nothing was flushed", warning);
    return {};
}

/// A policy on all midstream packets is somebody's decision about the whole gateway, which a flush does not take back.
Result<void> FlushPolicy::judge_change() const {
    if (!in_force_ || in_force_->scope == MidstreamScope::Flushed || same_in_kernel(*in_force_, *request_.wanted)) {
        return {};
    }
    return refused(
        "policy {} with scope all is in force; to have {} instead, say headgate policy apply {}: nothing was flushed",
        in_force_->name, request_.wanted->name, request_.wanted->name);
}

Result<void> FlushPolicy::enforce() {
    return request_.wanted ? ruleset_.apply(*request_.wanted) : Result<void>{};
}

bool FlushPolicy::too_many() const {
    std::uint64_t flows = 0;
    for (const auto& [protocol, count] : flows_by_protocol_)
        flows += count;
    return flows > policy_->remember_at_most;
}

Result<void> FlushPolicy::remember(std::span<const FlowRow> rows) {
    if (!remembers()) return {};
    std::vector<FlowRow> to_remember;
    for (const auto& row : rows) {
        const auto protocol = row.flow.original.protocol;
        if (is_connection_oriented(protocol) && too_many()) {
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
    if (others.size() < rows.size()) return remember_or_open_windows(others);
    not_remembered_ += others.size();
    return {};
}

Result<void> FlushPolicy::open_window(Protocol protocol) {
    if (!windows_.insert(protocol).second) return {};
    return ruleset_.open_window(protocol, policy_->remember_flushed_for);
}

std::string FlushPolicy::return_warning() const {
    if (condition_ == RulesetCondition::Changed) {
        return "somebody has changed the table inet headgate since the stream exception policy was applied (headgate "
               "policy status)";
    }
    const std::string fate = picks_up_tcp_ ? "TCP flows come back with their next packet"
                                           : "packets of flushed TCP flows are judged by your rules alone";
    if (!policy_) {
        return fmt::format("{}: {}",
                           condition_ == RulesetCondition::Missing
                               ? "somebody has removed the stream exception policy that was applied"
                               : "no stream exception policy is in force",
                           fate);
    }
    if (policy_->exception == StreamException::Continue && picks_up_tcp_) {
        return fmt::format("the stream exception policy is continue and net.netfilter.nf_conntrack_tcp_loose is 1: {}",
                           fate);
    }
    return {};
}

std::vector<std::string> FlushPolicy::warnings() const {
    std::vector<std::string> warnings;
    if (flows_by_protocol_.contains(Protocol::Tcp)) {
        if (auto warning = return_warning(); !warning.empty()) warnings.push_back(std::move(warning));
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
