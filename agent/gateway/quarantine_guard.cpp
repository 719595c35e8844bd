// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/quarantine_guard.h"

#include <fmt/format.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "gateway/session_guard.h"
#include "quarantine/quarantine_rules.h"

namespace headgate::gateway {
namespace {

std::optional<Address> address_of(const sockaddr* socket_address) {
    if (socket_address == nullptr) return std::nullopt;
    Address address;
    if (socket_address->sa_family == AF_INET) {
        sockaddr_in ipv4{};
        std::memcpy(&ipv4, socket_address, sizeof ipv4);
        std::memcpy(address.octets.data(), &ipv4.sin_addr, sizeof ipv4.sin_addr);
        return address;
    }
    if (socket_address->sa_family == AF_INET6) {
        sockaddr_in6 ipv6{};
        std::memcpy(&ipv6, socket_address, sizeof ipv6);
        address.family = Family::Ipv6;
        std::memcpy(address.octets.data(), &ipv6.sin6_addr, sizeof ipv6.sin6_addr);
        return address;
    }
    return std::nullopt;
}

/// Of the calling thread's network namespace.
Result<std::vector<Address>> own_addresses() {
    ifaddrs* first = nullptr;
    if (::getifaddrs(&first) != 0) return system_error(errno, "the addresses of this machine");
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> all{first, &::freeifaddrs};
    std::vector<Address> addresses;
    for (const auto* each = all.get(); each != nullptr; each = each->ifa_next)
        if (const auto address = address_of(each->ifa_addr)) addresses.push_back(*address);
    return addresses;
}

/// Whether the filter names addresses, some of which are in the prefix. The whole Internet names none.
bool names_part_of(const FlowFilter& filter, const Prefix& prefix) {
    return std::ranges::any_of(std::array{filter.source, filter.destination}, [&](const std::optional<Prefix>& named) {
        return named && named->length != 0 && quarantine::overlap(*named, prefix);
    });
}

tl::unexpected<Error> spares(const Prefix& prefix, std::string_view what) {
    return refused(
        "{} {}: nothing was changed (--include-protected, in JSON \"include_protected\": true, if it is meant)",
        to_string(prefix), what);
}

Result<void> check_prefix(const Prefix& prefix, const Spared& spared) {
    if (is_loopback(prefix.address)) return spares(prefix, "is a loopback address");
    for (const auto& own : spared.own) {
        if (!prefix.contains(own)) continue;
        return prefix.is_single_address()
                   ? spares(prefix, "is an address of this gateway")
                   : spares(prefix, fmt::format("has an address of this gateway, {}", to_string(own)));
    }
    if (spared.caller && prefix.contains(*spared.caller)) return spares(prefix, "has the address that you work from");
    for (const auto& session : spared.ssh.sessions) {
        if (!names_part_of(session, prefix)) continue;
        return spares(prefix, fmt::format("has an end of {}, {}",
                                          spared.ssh.is_own ? "your SSH session" : "an SSH session into this machine",
                                          to_string(session)));
    }
    for (const auto& filter : spared.protected_filters)
        if (names_part_of(filter, prefix)) return spares(prefix, fmt::format("is protected: {}", to_string(filter)));
    return {};
}

}  // namespace

Result<Spared> spared_by(const QuarantineRequest& request, const ManagedEndpoint& endpoint,
                         const std::vector<FlowFilter>& protected_filters) {
    Spared spared;
    ASSIGN_OR_RETURN(const auto where, endpoint.open_namespace());
    ASSIGN_OR_RETURN(spared.own, where.run(own_addresses));
    if (const auto caller = parse_address(request.caller.source_address)) spared.caller = *caller;
    spared.ssh = guard_sessions(request.sessions, request.caller, endpoint);
    spared.protected_filters = protected_filters;
    return spared;
}

Result<void> check_spared(std::span<const Prefix> prefixes, const Spared& spared) {
    for (const auto& prefix : prefixes)
        RETURN_IF_ERROR(check_prefix(prefix, spared));
    return {};
}

}  // namespace headgate::gateway
