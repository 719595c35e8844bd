// SPDX-License-Identifier: GPL-2.0-or-later
// The peer of a connection, as the kernel reports it.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "http/message.h"

namespace headgate::http {

/// Members of this group may use the agent's Unix socket.
inline constexpr std::string_view kGroup = "headgate";

struct Peer {
    Caller caller;  ///< Unix socket: face `unix`, uid and user name; TCP: the source address
    Admission admission = Admission::PeerCredentials;
    std::optional<FlowFilter> own_flows;  ///< the client's flows to the agent over TCP, as conntrack sees them
    bool is_admitted = false;             ///< false: no request is accepted, whatever the credentials
};

[[nodiscard]] std::optional<gid_t> find_group(std::string_view name);

/// Peer of a Unix socket. Admitted are root, this process's effective user, and members of the group.
[[nodiscard]] Result<Peer> peer_of(int socket, std::string_view group = kGroup);

}  // namespace headgate::http
