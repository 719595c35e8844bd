// Looks for SSH sessions: asks the kernel for sockets, and /proc and the control groups for who holds them, as far as
// that takes.
#pragma once

#include <optional>
#include <vector>

#include "headgate/flow_filter.h"
#include "headgate/result.h"

#include "netlink/network_namespace.h"
#include "sessions/ssh_sessions.h"

namespace headgate::sessions {

/// Those into this machine that are in a network namespace. An error: they could not be looked for.
[[nodiscard]] Result<SshSessions> search_sessions(const netlink::NetworkNamespace& where);

/// The SSH sessions of whoever asks for something.
struct CallerSessions {
    std::vector<FlowFilter> own;    ///< the one that they work through, where that is certain
    std::vector<FlowFilter> found;  ///< otherwise those in their sight, one of which may be theirs

    friend bool operator==(const CallerSessions&, const CallerSessions&) = default;
};

/// Of this process.
[[nodiscard]] CallerSessions search_caller_sessions();

/// The one that this process works through, where that is certain.
[[nodiscard]] std::optional<TcpSocket> search_own_session();

}  // namespace headgate::sessions
