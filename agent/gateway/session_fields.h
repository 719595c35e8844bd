// SPDX-License-Identifier: GPL-2.0-or-later
// The caller's sessions as members of a request (request_json.h, quarantine_json.h).
#pragma once

#include <string_view>
#include <vector>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "flow/json_fields.h"

namespace headgate::gateway {

template <typename Members, MaybeConst<CallerSessions> Sessions>
void list_sessions(Members& members, Sessions& sessions) {
    members.optional("own_sessions", sessions.own, parse_flow_filter);
    members.optional("ssh_sessions", sessions.found, parse_flow_filter);
}

/// More filters than are plausible by hand are an error; each costs one comparison per flow.
[[nodiscard]] inline Result<void> check_number(std::string_view name, const std::vector<FlowFilter>& filters) {
    constexpr std::size_t kMost = 64;
    if (filters.size() <= kMost) return {};
    return invalid("{}: {} filters; {} at most", name, filters.size(), kMost);
}

[[nodiscard]] inline Result<void> check_sessions(const CallerSessions& sessions) {
    return check_number("own_sessions", sessions.own).and_then([&] {
        return check_number("ssh_sessions", sessions.found);
    });
}

}  // namespace headgate::gateway
