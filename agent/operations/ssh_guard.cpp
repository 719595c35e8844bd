// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/ssh_guard.h"

#include <fmt/format.h>

namespace headgate::operations {
namespace {

FlowQuery either_way(const std::vector<FlowFilter>& filters) {
    FlowQuery query;
    query.filters = filters;
    query.side = MatchSide::Any;
    query.direction = MatchDirection::Both;
    return query;
}

std::string flows(std::uint64_t count, std::string_view one, std::string_view many) {
    return fmt::format("{} flow{} {}", count, count == 1 ? "" : "s", count == 1 ? one : many);
}

}  // namespace

GuardedSessions::GuardedSessions(const SshGuard& guard)
    : guard_(guard), sessions_(either_way(guard.sessions)), unknown_(either_way(guard.unknown)) {}

bool GuardedSessions::includes(const Flow& flow) const noexcept {
    return matches_filters(sessions_, flow.original, flow.reply);
}

void GuardedSessions::count_protected(const Flow& flow) noexcept {
    if (includes(flow)) ++sessions_counted_;
}

void GuardedSessions::count_flushed(const Flow& flow) noexcept {
    if (matches_filters(unknown_, flow.original, flow.reply)) ++unknown_counted_;
}

void GuardedSessions::append_warnings(std::vector<std::string>& warnings) const {
    if (!guard_.fault.empty()) {
        warnings.push_back(fmt::format(
            "SSH sessions into this machine could not be looked for, so one may be flushed: {}", guard_.fault));
    }
    if (sessions_counted_ != 0 && !guard_.is_own) {
        warnings.push_back(
            fmt::format("{} left alone as SSH sessions into this machine: which one is the caller's is "
                        "not known",
                        flows(sessions_counted_, "is", "are")));
    }
    if (unknown_counted_ != 0) {
        warnings.push_back(
            fmt::format("{} into this machine, to a process that cannot be seen from here, and not left "
                        "alone: if it serves SSH, name its port in protected",
                        flows(unknown_counted_, "is a connection", "are connections")));
    }
}

}  // namespace headgate::operations
