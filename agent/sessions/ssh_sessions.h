// SSH sessions into this machine, and which of them is one's own. Pure: what the kernel shows comes in as values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "headgate/flow_filter.h"
#include "headgate/result.h"

#include "sessions/processes.h"
#include "sessions/tcp_socket.h"

namespace headgate::sessions {

/// The value of SSH_CONNECTION (sshd(8)): client address, client port, server address, server port.
[[nodiscard]] Result<FlowFilter> parse_ssh_connection(std::string_view value);

/// What is known of the sockets of a network namespace.
struct SocketEvidence {
    std::vector<TcpSocket> sockets;
    std::vector<std::set<std::uint64_t>> ssh_servers;  ///< the sockets of each process that serves SSH
    std::map<std::uint64_t, std::string> units;        ///< names of control groups
    std::set<std::uint64_t> others;                    ///< sockets that other processes hold
};

struct SshSessions {
    std::vector<TcpSocket> sessions;
    std::vector<TcpSocket> unknown;  ///< connections into this machine that may be sessions: whose they are is not seen
    std::vector<TcpSocket> established;  ///< whatever they are
    std::set<std::uint64_t> unproved;    ///< unknown ones, and sessions that no process in sight serves

    /// Whether it is a connection of this namespace.
    [[nodiscard]] bool has(const FlowFilter& connection) const;
};

/// A session is an established socket that a process holds which serves SSH. Such a process also has connections that
/// it forwards to elsewhere: so of its sockets those count that lead to a port on which somebody listens, and all of
/// them where none does, as after sshd has ended and its sessions go on. Where no such process is seen, a socket that
/// leads to such a port is judged by the unit that it was accepted in; then by whether another process holds it; then
/// by the port: 22 is SSH's (RFC 4253, section 4.1).
[[nodiscard]] SshSessions find_sessions(const SocketEvidence& evidence);

/// The session that a process works through, by the processes above it. Certain is only what leads up to a server of
/// SSH without a gap: then its session is the one whose socket it holds, or, where that cannot be seen, the one that
/// SSH_CONNECTION names in its environment, next to the server first. A tmux, a cron job or another user's service has
/// no such line of parents, whatever its environment says. Nothing, too, for a session that begins on this machine,
/// within another one perhaps.
[[nodiscard]] std::optional<TcpSocket> own_session(const std::vector<TcpSocket>& sockets,
                                                   std::span<const Ancestor> ancestors);

/// What SSH_CONNECTION names anywhere in that line, whether it is so or not.
[[nodiscard]] std::vector<FlowFilter> named_sessions(std::span<const Ancestor> ancestors);

[[nodiscard]] std::vector<FlowFilter> filters_of(std::span<const TcpSocket> sockets);

/// Filters of connections, each once; where they are very many, one for each end here, whoever is at the other.
[[nodiscard]] std::vector<FlowFilter> at_most_some(std::vector<FlowFilter> connections);

}  // namespace headgate::sessions
