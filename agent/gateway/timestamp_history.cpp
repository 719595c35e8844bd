// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/timestamp_history.h"

#include "conntrack/table_sysctls.h"

namespace headgate::gateway {

void TimestampHistory::note(const netlink::NetworkNamespace& where, std::chrono::nanoseconds since, Before before) {
    const auto cookie = where.cookie();
    if (!cookie) return;
    const std::lock_guard lock{mutex_};
    if (!known_ || known_->cookie != *cookie || before == Before::Off) known_ = {*cookie, since};
}

std::optional<std::chrono::nanoseconds> TimestampHistory::since(const netlink::NetworkNamespace& where) {
    const auto on = conntrack::are_timestamps_on(where);
    const auto cookie = where.cookie();
    const std::lock_guard lock{mutex_};
    if (!known_) return std::nullopt;
    if (on && *on && cookie && *cookie == known_->cookie) return known_->since;
    known_.reset();
    return std::nullopt;
}

}  // namespace headgate::gateway
