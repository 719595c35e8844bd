// SPDX-License-Identifier: GPL-2.0-or-later
#include "headgate/flow_operation.h"

#include <fmt/format.h>

namespace headgate {

std::string Caller::name() const {
    if (!sudo_user.empty()) return sudo_user;
    return user.empty() && uid ? fmt::format("uid {}", *uid) : user;
}

Moment moment_of(const FlowOperation& operation) {
    return {operation.requested_at, operation.machine_up, std::nullopt};
}

}  // namespace headgate
