// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/expiry/expired_flows.h"

#include <array>
#include <functional>
#include <string_view>
#include <utility>

#include "conntrack/row_matcher.h"

namespace headgate::conntrack {
namespace {

/// Events may wait: for a listener that gathers them, and in the flow log's queue.
constexpr std::chrono::minutes kKept{2};

}  // namespace

void ExpiredFlows::expect(bool events) {
    const std::lock_guard lock{mutex_};
    are_expected_ = events;
}

bool ExpiredFlows::forget(const Flow& ended) {
    const std::lock_guard lock{mutex_};
    if (recent_.empty() && older_.empty()) return false;
    const auto identity = identity_of(ended);
    return recent_.erase(identity) != 0 || older_.erase(identity) != 0;
}

/// Tuple, zone, id and start time.
std::uint64_t ExpiredFlows::identity_of(const Flow& flow) {
    const auto started = flow.started.value_or(Timestamp{}).time_since_epoch().count();
    const std::array words = {fingerprint(flow), static_cast<std::uint64_t>(started)};
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(words.data()), sizeof words});
}

void ExpiredFlows::drop_old() {
    const auto now = std::chrono::steady_clock::now();
    if (now - recent_since_ < kKept) return;
    older_.clear();
    if (now - recent_since_ < 2 * kKept) older_.swap(recent_);
    recent_.clear();
    recent_since_ = now;
}

}  // namespace headgate::conntrack
