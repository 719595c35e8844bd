// SPDX-License-Identifier: GPL-2.0-or-later
// What conntrack reports about each of a few candidates.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "headgate/flow.h"
#include "headgate/result.h"

#include "conntrack/scan_plan.h"
#include "netlink/socket.h"

namespace headgate::conntrack {

/// In order; absent where no flow has the tuple in that zone. For up to a hundred or so: all answers are queued at
/// once.
[[nodiscard]] Result<std::vector<std::optional<Flow>>> look_up(netlink::Socket& socket,
                                                               std::span<const Candidate> candidates);

/// Of flows that differ from what a program in the kernel reported. A flow may change, end or be replaced in between,
/// but few do: one, or a quarter.
[[nodiscard]] constexpr bool are_too_many(std::size_t different, std::size_t compared) {
    return different > 1 && different * 4 > compared;
}

}  // namespace headgate::conntrack
