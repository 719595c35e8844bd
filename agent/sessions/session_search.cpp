// SPDX-License-Identifier: GPL-2.0-or-later
#include "sessions/session_search.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "sessions/processes.h"
#include "sessions/tcp_socket.h"
#include "sessions/units.h"

namespace headgate::sessions {
namespace {

/// Removes connections that were closed while processes were examined.
void forget_closed(std::vector<TcpSocket>& sockets) {
    const auto now = read_tcp_sockets();
    if (!now) return;
    std::erase_if(sockets, [&](const TcpSocket& socket) { return std::ranges::find(*now, socket) == now->end(); });
}

/// Gathers evidence in order of cost, until it is conclusive.
Result<SshSessions> search_here() {
    ASSIGN_OR_RETURN(auto sockets, read_tcp_sockets());
    SocketEvidence evidence;
    evidence.sockets = std::move(sockets);
    evidence.ssh_servers = read_ssh_servers();
    auto found = find_sessions(evidence);
    if (found.unproved.empty()) return found;
    evidence.units = read_units();
    found = find_sessions(evidence);
    auto held = find_held(found.unproved);
    evidence.others = std::move(held.inodes);
    found = find_sessions(evidence);
    if (held.is_all) found.unknown.clear();  // held by no process, so the kernel's own
    if (!found.unknown.empty()) forget_closed(found.unknown);
    return found;
}

}  // namespace

Result<SshSessions> search_sessions(const netlink::NetworkNamespace& where) {
    Result<SshSessions> found;
    auto searched = where.run([&]() -> Result<void> {
        found = search_here();
        return {};
    });
    return searched ? std::move(found) : tl::unexpected(std::move(searched.error()));
}

std::optional<TcpSocket> search_own_session() {
    const auto ancestors = read_ancestors();
    if (std::ranges::none_of(ancestors, serves_ssh, &Ancestor::name)) return std::nullopt;
    const auto sockets = read_tcp_sockets();
    return sockets ? own_session(*sockets, ancestors) : std::nullopt;
}

CallerSessions search_caller_sessions() {
    if (const auto own = search_own_session()) return {{filter_of(*own)}, {}};
    auto possible = named_sessions(read_ancestors());
    if (const auto found = search_sessions({})) {
        std::ranges::copy(filters_of(found->sessions), std::back_inserter(possible));
    }
    return {{}, at_most_some(std::move(possible))};
}

}  // namespace headgate::sessions
