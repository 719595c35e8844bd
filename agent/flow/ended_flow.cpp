// SPDX-License-Identifier: GPL-2.0-or-later
#include "headgate/ended_flow.h"

namespace headgate {

std::optional<FlowState> last_state(const Flow& flow) {
    if (has_protocol_state(flow.original.protocol) && !flow.protocol_state) return std::nullopt;
    return state(flow);
}

}  // namespace headgate
