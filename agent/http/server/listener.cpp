// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/server/listener.h"

#include "http/server/tcp_listener.h"

namespace headgate::http {
namespace {

Prefix only(const Address& address) {
    return {address, static_cast<std::uint8_t>(address_bits(address.family))};
}

/// From any source port, as clients have several connections.
FlowFilter flows_between(const TcpEnds& ends) {
    FlowFilter filter;
    filter.source = only(ends.peer);
    filter.destination = only(ends.own);
    filter.destination_port = PortRange{ends.own_port, ends.own_port};
    filter.protocols = {Protocol::Tcp};
    return filter;
}

}  // namespace

Listener Listener::on(UnixListener socket) {
    auto owner = std::make_shared<const UnixListener>(std::move(socket));
    const int descriptor = owner->descriptor();
    return {std::move(owner), descriptor, {Admission::PeerCredentials, nullptr, {}}};
}

Listener Listener::on(std::shared_ptr<const FileDescriptor> tcp, Terms terms) {
    const int descriptor = tcp->get();
    return {std::move(tcp), descriptor, std::move(terms)};
}

Result<Accepted> set_up(FileDescriptor& connection, const Terms& terms) {
    if (terms.admission == Admission::PeerCredentials) {
        return peer_of(connection.get()).map([&](Peer peer) {
            return Accepted{std::make_unique<Stream>(std::move(connection)), std::move(peer)};
        });
    }
    return ends_of(connection.get()).map([&](const TcpEnds& ends) {
        Peer peer;
        peer.caller.face = "tcp";
        peer.caller.source_address = to_string(ends.peer);
        peer.admission = terms.admission;
        peer.own_flows = flows_between(ends);
        peer.is_admitted = true;
        send_at_once(connection.get());
        auto stream = terms.tls ? std::make_unique<Stream>(std::move(connection), *terms.tls)
                                : std::make_unique<Stream>(std::move(connection));
        return Accepted{std::move(stream), std::move(peer)};
    });
}

}  // namespace headgate::http
