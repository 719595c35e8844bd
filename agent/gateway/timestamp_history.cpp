// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/timestamp_history.h"

#include <algorithm>

#include "conntrack/recording_sysctls.h"

namespace headgate::gateway {

void TimestampHistory::note(const Endpoint& endpoint, const netlink::NetworkNamespace& where,
                            std::chrono::nanoseconds since, Before before) {
    const auto cookie = where.cookie();
    if (!cookie) return;
    const std::lock_guard lock{mutex_};
    const auto known = std::ranges::find(known_, endpoint, &Known::endpoint);
    if (known == known_.end()) {
        known_.push_back({endpoint, *cookie, since});
    } else if (known->cookie != *cookie || before == Before::Off) {
        *known = {endpoint, *cookie, since};
    }
}

std::optional<std::chrono::nanoseconds> TimestampHistory::since(const Endpoint& endpoint,
                                                                const netlink::NetworkNamespace& where) {
    const auto on = conntrack::are_timestamps_on(where);
    const auto cookie = where.cookie();
    const std::lock_guard lock{mutex_};
    const auto known = std::ranges::find(known_, endpoint, &Known::endpoint);
    if (known == known_.end()) return std::nullopt;
    if (on && *on && cookie && *cookie == known->cookie) return known->since;
    known_.erase(known);
    return std::nullopt;
}

}  // namespace headgate::gateway
