// Why a flow ended, as far as its last event tells.
#pragma once

#include <cstdint>
#include <optional>

#include "headgate/ended_flow.h"

namespace headgate::flowlog {

/// `port_id` is that of the event: 0 where the kernel itself ended the flow.
[[nodiscard]] std::optional<EndReason> reason_of(const Flow& flow, std::uint32_t port_id);

}  // namespace headgate::flowlog
