// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/session_guard.h"

#include <algorithm>
#include <utility>

namespace headgate::gateway {
namespace {

bool is_on_this_machine(const Caller& who) {
    return who.face == "cli" || who.face == "unix";
}

/// Without duplicates: the caller may report sessions that were found here, too.
void append(std::vector<FlowFilter>& filters, const std::vector<FlowFilter>& more) {
    for (const auto& filter : more)
        if (std::ranges::find(filters, filter) == filters.end()) filters.push_back(filter);
}

}  // namespace

operations::SshGuard guard_found(const CallerSessions& caller, const Caller& who,
                                 const std::vector<sessions::SshSessions>& found) {
    const auto is_there = [&](const FlowFilter& session) {
        return std::ranges::any_of(found, [&](const auto& each) { return each.has(session); });
    };
    operations::SshGuard guard;
    guard.sessions = caller.own;
    guard.is_own = is_on_this_machine(who) && std::ranges::any_of(caller.own, is_there);
    if (guard.is_own) return guard;
    append(guard.sessions, caller.found);
    for (const auto& each : found) {
        append(guard.sessions, sessions::filters_of(each.sessions));
        append(guard.unknown, sessions::filters_of(each.unknown));
    }
    return guard;
}

operations::SshGuard guard_sessions(const CallerSessions& caller, const Caller& who, const ManagedEndpoint& endpoint) {
    std::vector<sessions::SshSessions> found;
    std::string fault;
    const auto search = [&](const netlink::NetworkNamespace& where) -> Result<void> {
        return sessions::search_sessions(where).map(
            [&](sessions::SshSessions each) { found.push_back(std::move(each)); });
    };
    auto searched = search({});
    if (searched && endpoint.is_elsewhere()) searched = endpoint.open_namespace().and_then(search);
    if (!searched) fault = std::move(searched.error().message);
    auto guard = guard_found(caller, who, found);
    guard.sessions = sessions::at_most_some(std::move(guard.sessions));
    guard.unknown = sessions::at_most_some(std::move(guard.unknown));
    if (!guard.is_own) guard.fault = std::move(fault);
    return guard;
}

}  // namespace headgate::gateway
