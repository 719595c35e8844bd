// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/syslog_target.h"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "base/scalars.h"

namespace headgate::config {
namespace {

struct Scheme {
    std::string_view name;
    SyslogTransport transport;
    std::uint16_t usual_port;
};

constexpr std::array kSchemes = {Scheme{"udp", SyslogTransport::Udp, 514}, Scheme{"tcp", SyslogTransport::Tcp, 601},
                                 Scheme{"unix", SyslogTransport::Unix, 0}};

struct HostAndPort {
    std::string_view host;
    std::optional<std::string_view> port;
    Family family{};
};

std::optional<HostAndPort> split(std::string_view text) {
    HostAndPort parts;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        parts.host = text.substr(1, end - 1);
        parts.family = Family::Ipv6;
        text.remove_prefix(end + 1);
    } else {
        parts.host = text.substr(0, text.find(':'));
        parts.family = Family::Ipv4;
        text.remove_prefix(parts.host.size());
    }
    if (text.empty()) return parts;
    if (!text.starts_with(':')) return std::nullopt;
    parts.port = text.substr(1);
    return parts;
}

Result<SyslogTarget> parse_remote(const Scheme& scheme, std::string_view text, std::string_view where) {
    const auto parts = split(where);
    if (!parts) return invalid("\"{}\": behind the address stands nothing or a colon and a port", text);
    const auto written = parse_address_as_written(parts->host);
    if (!written || written->family != parts->family) {
        return invalid("\"{}\": \"{}\" is not an {} address{}", text, parts->host,
                       parts->family == Family::Ipv4 ? "IPv4" : "IPv6",
                       parts->family == Family::Ipv4 ? ", and one of IPv6 stands in brackets" : "");
    }
    const auto port = parts->port ? parse_number<std::uint16_t>(*parts->port, 1, 65535) : scheme.usual_port;
    if (!port) return tl::unexpected(Error{port.error()}.within("port"));
    return SyslogTarget{scheme.transport, *parse_address(parts->host), *port, {}};
}

const Scheme* scheme_of(std::string_view text) {
    for (const auto& each : kSchemes) {
        if (text.starts_with(each.name) && text.substr(each.name.size()).starts_with("://")) return &each;
    }
    return nullptr;
}

}  // namespace

Result<SyslogTarget> parse_syslog_target(std::string_view text) {
    const auto* const scheme = scheme_of(text);
    if (scheme == nullptr) return invalid("\"{}\" does not begin with udp://, tcp:// or unix://", text);
    const auto where = text.substr(scheme->name.size() + 3);
    if (scheme->transport != SyslogTransport::Unix) return parse_remote(*scheme, text, where);
    return parse_socket_path(where).map([](std::filesystem::path socket) {
        return SyslogTarget{SyslogTransport::Unix, {}, 0, std::move(socket)};
    });
}

std::string to_string(const SyslogTarget& target) {
    if (target.transport == SyslogTransport::Unix) return fmt::format("unix://{}", target.socket.native());
    const auto* const scheme = target.transport == SyslogTransport::Udp ? "udp" : "tcp";
    const auto address = headgate::to_string(target.address);
    const bool is_ipv6 = target.address.family == Family::Ipv6;
    return fmt::format("{}://{}{}{}:{}", scheme, is_ipv6 ? "[" : "", address, is_ipv6 ? "]" : "", target.port);
}

}  // namespace headgate::config
