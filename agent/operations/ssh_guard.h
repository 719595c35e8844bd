// SPDX-License-Identifier: GPL-2.0-or-later
// The SSH sessions that a flush must not cut.
#pragma once

#include <string>
#include <vector>

#include "headgate/flow_query.h"

namespace headgate::operations {

/// SSH sessions into this machine. Filters match both directions, translated or not.
struct SshGuard {
    std::vector<FlowFilter> sessions;  ///< spared, like protected flows
    bool is_own = false;               ///< only the caller's own, which is known; false: all sessions
    std::vector<FlowFilter> unknown;   ///< possible sessions, which are not spared
    std::string fault;                 ///< why the search failed; empty if it succeeded
};

}  // namespace headgate::operations
