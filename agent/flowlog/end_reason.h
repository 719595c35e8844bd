// SPDX-License-Identifier: GPL-2.0-or-later
// Derives the reason why a flow ended from its DESTROY event.
#pragma once

#include <cstdint>
#include <optional>

#include "headgate/ended_flow.h"

namespace headgate::flowlog {

/// `port_id`: the event's netlink port ID; 0 if the kernel itself ended the flow. Absent if the event shows no reason.
[[nodiscard]] std::optional<EndReason> reason_of(const Flow& flow, std::uint32_t port_id);

}  // namespace headgate::flowlog
