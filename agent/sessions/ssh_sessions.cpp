// SPDX-License-Identifier: GPL-2.0-or-later
#include "sessions/ssh_sessions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <utility>

#include "base/text.h"
#include "sessions/processes.h"
#include "sessions/tcp_socket.h"

namespace headgate::sessions {
namespace {

constexpr std::uint16_t kSshPort = 22;

/// Every flow is compared with every filter, and a request accepts at most 64.
constexpr std::size_t kMostFilters = 32;

/// A link-local IPv6 address includes its interface: fe80::1%eth0.
std::string_view without_interface(std::string_view address) {
    return address.substr(0, address.find('%'));
}

void add_once(std::vector<FlowFilter>& filters, FlowFilter filter) {
    if (std::ranges::find(filters, filter) == filters.end()) filters.push_back(std::move(filter));
}

/// Classifies established sockets by the evidence.
class Judgement {
  public:
    explicit Judgement(const SocketEvidence& evidence) : evidence_(evidence) {
        for (const auto& socket : evidence.sockets)
            if (socket.listens) listened_.insert(socket.local_port);
        for (const auto& server : evidence.ssh_servers)
            add_server(server);
    }

    [[nodiscard]] bool is_session(const TcpSocket& socket) const {
        if (is_served(socket)) return sessions_.contains(socket.inode);
        if (!leads_here(socket)) return false;
        return unit(socket) == UnitKind::Ssh || (nobody_else_is_known(socket) && socket.local_port == kSshPort);
    }

    /// Whether a process that serves SSH holds the socket.
    [[nodiscard]] bool is_served(const TcpSocket& socket) const { return served_.contains(socket.inode); }

    [[nodiscard]] bool is_unknown(const TcpSocket& socket) const {
        return !is_served(socket) && leads_here(socket) && nobody_else_is_known(socket) &&
               socket.local_port != kSshPort;
    }

  private:
    void add_server(const std::set<std::uint64_t>& server) {
        std::set<std::uint64_t> all;
        std::set<std::uint64_t> inbound;
        const auto forwarded = forwarded_ports(server);
        for (const auto& socket : evidence_.sockets) {
            if (socket.listens || !server.contains(socket.inode)) continue;
            all.insert(socket.inode);
            if (leads_here(socket) && !forwarded.contains(socket.local_port)) inbound.insert(socket.inode);
        }
        const auto& sessions = inbound.empty() ? all : inbound;
        served_.insert(all.begin(), all.end());
        sessions_.insert(sessions.begin(), sessions.end());
    }

    /// A process that serves a session listens only on ports that its client requested (ssh -R).
    [[nodiscard]] std::set<std::uint16_t> forwarded_ports(const std::set<std::uint64_t>& server) const {
        std::set<std::uint16_t> ports;
        for (const auto& socket : evidence_.sockets)
            if (socket.listens && socket.local_port != kSshPort && server.contains(socket.inode))
                ports.insert(socket.local_port);
        return ports;
    }

    [[nodiscard]] bool leads_here(const TcpSocket& socket) const {
        return socket.local_port == kSshPort || listened_.contains(socket.local_port);
    }

    [[nodiscard]] bool nobody_else_is_known(const TcpSocket& socket) const {
        return unit(socket) == UnitKind::Any && !evidence_.others.contains(socket.inode);
    }

    [[nodiscard]] UnitKind unit(const TcpSocket& socket) const {
        if (!socket.cgroup) return UnitKind::Any;
        const auto found = evidence_.units.find(*socket.cgroup);
        return found == evidence_.units.end() ? UnitKind::Any : unit_kind(found->second);
    }

    const SocketEvidence& evidence_;
    std::set<std::uint16_t> listened_;
    std::set<std::uint64_t> served_;    ///< held by processes that serve SSH
    std::set<std::uint64_t> sessions_;  ///< the sessions among them
};

/// Whether the peer is on this machine, too.
bool begins_here(const TcpSocket& session, std::span<const TcpSocket> established) {
    return std::ranges::any_of(established, [&](const TcpSocket& other) {
        return other.local == session.remote && other.local_port == session.remote_port &&
               other.remote == session.local && other.remote_port == session.local_port;
    });
}

/// The session that the server process holds; nothing if it holds none or several.
std::optional<TcpSocket> held_session(std::span<const TcpSocket> sessions, const std::set<std::uint64_t>& held) {
    const auto is_held = [&](const TcpSocket& session) { return held.contains(session.inode); };
    const auto first = std::ranges::find_if(sessions, is_held);
    if (first == sessions.end() || std::find_if(std::next(first), sessions.end(), is_held) != sessions.end()) return {};
    return *first;
}

/// The session named by the environment closest to the server; those further down may be older, or set by hand.
std::optional<TcpSocket> named_session(std::span<const TcpSocket> established, std::span<const Ancestor> below) {
    const auto names = [](const Ancestor& each) { return each.ssh_connection.has_value(); };
    const auto nearest = std::find_if(below.rbegin(), below.rend(), names);
    if (nearest == below.rend()) return std::nullopt;
    const auto named = parse_ssh_connection(*nearest->ssh_connection);
    const auto is_named = [&](const TcpSocket& each) { return named && filter_of(each) == *named; };
    const auto found = std::ranges::find_if(established, is_named);
    return found == established.end() ? std::nullopt : std::optional{*found};
}

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

Result<FlowFilter> parse_ssh_connection(std::string_view value) {
    const auto whole = value;
    FlowFilter filter;
    filter.protocols = {Protocol::Tcp};
    for (auto [prefix, port] :
         {std::pair{&filter.source, &filter.source_port}, std::pair{&filter.destination, &filter.destination_port}}) {
        const auto address = parse_prefix(without_interface(take_until(value, ' ')));
        const auto number = parse_unsigned<std::uint16_t>(take_until(value, ' '));
        if (!address || !address->is_single_address() || !number) return invalid("SSH_CONNECTION: \"{}\"", whole);
        *prefix = *address;
        *port = PortRange{*number, *number};
    }
    return filter;
}

bool SshSessions::has(const FlowFilter& connection) const {
    return std::ranges::any_of(established, [&](const TcpSocket& each) { return filter_of(each) == connection; });
}

SshSessions find_sessions(const SocketEvidence& evidence) {
    const Judgement judgement{evidence};
    SshSessions found;
    for (const auto& socket : evidence.sockets) {
        if (socket.listens || socket.inode == 0) continue;
        found.established.push_back(socket);
        const bool is_session = judgement.is_session(socket);
        const bool is_unknown = judgement.is_unknown(socket);
        if (is_session) found.sessions.push_back(socket);
        if (is_unknown) found.unknown.push_back(socket);
        if (is_unknown || (is_session && !judgement.is_served(socket))) found.unproved.insert(socket.inode);
    }
    return found;
}

std::optional<TcpSocket> own_session(const std::vector<TcpSocket>& sockets, std::span<const Ancestor> ancestors) {
    const auto server = std::ranges::find_if(ancestors, [](const Ancestor& each) { return serves_ssh(each.name); });
    if (server == ancestors.end()) return std::nullopt;
    const auto found = find_sessions({sockets, {server->sockets}, {}, {}});
    auto session = held_session(found.sessions, server->sockets);
    if (!session)
        session =
            named_session(found.established, ancestors.first(static_cast<std::size_t>(server - ancestors.begin())));
    return session && begins_here(*session, found.established) ? std::nullopt : session;
}

std::vector<FlowFilter> named_sessions(std::span<const Ancestor> ancestors) {
    std::vector<FlowFilter> named;
    for (const auto& each : ancestors) {
        if (!each.ssh_connection) continue;
        if (auto filter = parse_ssh_connection(*each.ssh_connection)) add_once(named, std::move(*filter));
    }
    return named;
}

std::vector<FlowFilter> filters_of(std::span<const TcpSocket> sockets) {
    std::vector<FlowFilter> filters;
    std::ranges::transform(sockets, std::back_inserter(filters), filter_of);
    return filters;
}

std::vector<FlowFilter> at_most_some(std::vector<FlowFilter> connections) {
    const bool are_many = connections.size() > kMostFilters;
    std::vector<FlowFilter> filters;
    for (auto& connection : connections) {
        if (are_many) {
            connection.source.reset();
            connection.source_port.reset();
        }
        add_once(filters, std::move(connection));
    }
    return filters;
}

Result<SshSessions> search_sessions(const netlink::NetworkNamespace& where) {
    return where.run(search_here);
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
