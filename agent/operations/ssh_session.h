// The SSH session that somebody works through, so that a flush does not cut the branch it sits on.
#pragma once

#include <string_view>
#include <vector>

#include "headgate/flow_filter.h"
#include "headgate/result.h"

namespace headgate::operations {

/// The value of SSH_CONNECTION (sshd(8)): client address, client port, server address, server port.
[[nodiscard]] Result<FlowFilter> parse_ssh_connection(std::string_view value);

/// The sessions that this process descends from, one filter each. Read from its own environment and from that of every
/// process above it (/proc/PID/environ), because sudo takes SSH_CONNECTION away. Empty on a console.
[[nodiscard]] std::vector<FlowFilter> find_ssh_sessions();

}  // namespace headgate::operations
