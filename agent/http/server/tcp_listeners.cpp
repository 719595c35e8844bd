// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/server/tcp_listeners.h"

#include <algorithm>

#include "http/server/tcp_listener.h"

namespace headgate::http {
namespace {

Result<std::shared_ptr<const TlsServer>> tls_of(const config::Listener& listener) {
    if (!listener.tls) return nullptr;
    return TlsServer::open(*listener.tls);
}

}  // namespace

std::optional<Admission> admission_of(const config::Http& http, const config::Listener& listener) {
    if (http.insecure_loopback && is_loopback(listener.address)) return Admission::Anybody;
    if (http.credentials) return Admission::Credentials;
    return std::nullopt;
}

Result<std::vector<Listener>> TcpListeners::open(const config::Http& http, std::vector<std::string>& warnings) {
    std::vector<Listener> listeners;
    std::vector<Open> opened;
    for (const auto& wanted : http.listeners) {
        const auto admission = admission_of(http, wanted);
        if (!admission) {
            warnings.push_back(
                fmt::format("http.listeners: nothing listens on {}, as no http.credentials are configured",
                            place_of(wanted.address, wanted.port)));
            continue;
        }
        auto tls = tls_of(wanted);
        if (!tls) return tl::unexpected(std::move(tls.error()).within("http.listeners"));
        auto socket = socket_for(wanted);
        if (!socket) return tl::unexpected(std::move(socket.error()).within("http.listeners"));
        listeners.push_back(
            Listener::on(socket->socket, {*admission, std::move(*tls), place_of(wanted.address, wanted.port)}));
        opened.push_back(std::move(*socket));
    }
    next_ = std::move(opened);
    return listeners;
}

Result<TcpListeners::Open> TcpListeners::socket_for(const config::Listener& wanted) const {
    const auto known = std::ranges::find_if(
        open_, [&](const Open& each) { return each.address == wanted.address && each.port == wanted.port; });
    if (known != open_.end()) return *known;
    return listen_on_tcp(wanted.address, wanted.port).map([&](FileDescriptor socket) {
        return Open{wanted.address, wanted.port, std::make_shared<const FileDescriptor>(std::move(socket))};
    });
}

}  // namespace headgate::http
