// SPDX-License-Identifier: GPL-2.0-or-later
// SSH sessions into this machine, and which of them is the caller's. All but the last three are pure functions: kernel
// state is passed as values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "headgate/flow_filter.h"
#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "netlink/network_namespace.h"
#include "sessions/processes.h"
#include "sessions/tcp_socket.h"

namespace headgate::sessions {

/// Parses SSH_CONNECTION (sshd(8)): client address, client port, server address, server port.
[[nodiscard]] Result<FlowFilter> parse_ssh_connection(std::string_view value);

/// Known facts about the sockets of a network namespace.
struct SocketEvidence {
    std::vector<TcpSocket> sockets;
    std::vector<std::set<std::uint64_t>> ssh_servers;  ///< socket inodes of each process that serves SSH
    std::map<std::uint64_t, std::string> units;        ///< control group names by inode
    std::set<std::uint64_t> others;                    ///< socket inodes held by other processes
};

struct SshSessions {
    std::vector<TcpSocket> sessions;
    std::vector<TcpSocket> unknown;      ///< connections into this machine that may be sessions: their holder is hidden
    std::vector<TcpSocket> established;  ///< all established sockets
    std::set<std::uint64_t> unproved;    ///< unknown ones, and sessions that no visible process serves

    /// Whether it is an established connection of this namespace.
    [[nodiscard]] bool has(const FlowFilter& connection) const;
};

/// A session is an established socket held by a process that serves SSH. Such a process also holds connections that it
/// forwards elsewhere, so of its sockets only those to a listening port count, or all of them if there are none, as
/// after sshd has exited and its sessions continue. If no such process is visible, a socket to a listening port is
/// judged by the unit in which it was accepted; then by whether another process holds it; then by the port: 22 is SSH's
/// (RFC 4253, section 4.1).
[[nodiscard]] SshSessions find_sessions(const SocketEvidence& evidence);

/// The session that a process works through, found by its ancestors. Certain only if they lead to an SSH server without
/// a gap: it is then the session whose socket the server holds or, if that is not visible, the one named by
/// SSH_CONNECTION in the environment closest to the server. Processes under tmux, cron or another user's service have
/// no such ancestors, whatever their environment says. Also nothing for a session that begins on this machine, perhaps
/// within another session.
[[nodiscard]] std::optional<TcpSocket> own_session(const std::vector<TcpSocket>& sockets,
                                                   std::span<const Ancestor> ancestors);

/// The connections named by SSH_CONNECTION in any of these environments, unverified.
[[nodiscard]] std::vector<FlowFilter> named_sessions(std::span<const Ancestor> ancestors);

[[nodiscard]] std::vector<FlowFilter> filters_of(std::span<const TcpSocket> sockets);

/// Removes duplicates; if there are too many filters, merges them into one per local end, with any peer.
[[nodiscard]] std::vector<FlowFilter> at_most_some(std::vector<FlowFilter> connections);

/// SSH sessions into this machine in a network namespace: asks the kernel for sockets, and /proc and the control groups
/// for their holders as far as needed. An error means that the search was not possible.
[[nodiscard]] Result<SshSessions> search_sessions(const netlink::NetworkNamespace& where);

/// The sessions of this process.
[[nodiscard]] CallerSessions search_caller_sessions();

/// The session that this process works through, if certain.
[[nodiscard]] std::optional<TcpSocket> search_own_session();

}  // namespace headgate::sessions
