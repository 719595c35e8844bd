// Who is at the other end of a connection, as the kernel tells it.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "http/message.h"

namespace headgate::http {

/// Its members may ask the agent.
inline constexpr std::string_view kGroup = "headgate";

struct Peer {
    Caller caller;  ///< face `unix`, uid and the name of the user; of a TCP connection the address that it comes from
    Admission admission = Admission::PeerCredentials;
    std::optional<FlowFilter> own_flows;  ///< between them and the agent, where the kernel tracks them
    bool is_admitted = false;             ///< false: whatever they show, they may ask nothing
};

[[nodiscard]] std::optional<gid_t> find_group(std::string_view name);

/// Of a Unix socket. Admitted are root, whom this process runs as, and members of the group.
[[nodiscard]] Result<Peer> peer_of(int socket, std::string_view group = kGroup);

}  // namespace headgate::http
