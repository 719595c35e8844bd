// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/host.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace headgate::http {
namespace {

/// reg-name (RFC 3986, section 3.2.2); what follows a percent sign is not checked.
bool fits_name(char c) {
    return is_letter_or_digit(c) || std::string_view{"-._~%!$&'()*+,;="}.find(c) != std::string_view::npos;
}

bool fits_literal(char c) {
    return is_letter_or_digit(c) || c == ':' || c == '.';
}

struct HostAndPort {
    std::string_view host;
    std::string_view port;  ///< including the colon; empty where absent
    bool is_literal = false;
};

HostAndPort taken_apart(std::string_view text) {
    const auto bracket = text.find(']');
    if (text.starts_with('[') && bracket != std::string_view::npos) {
        return {text.substr(1, bracket - 1), text.substr(bracket + 1), true};
    }
    const auto host = text.substr(0, text.find(':'));
    return {host, text.substr(host.size()), false};
}

}  // namespace

bool is_host(std::string_view text) {
    const auto [host, port, is_literal] = taken_apart(text);
    if (!std::ranges::all_of(host, is_literal ? fits_literal : fits_name)) return false;
    if (is_literal && host.empty()) return false;
    return port.empty() ||
           (port.front() == ':' && std::ranges::all_of(port.substr(1), [](char c) { return c >= '0' && c <= '9'; }));
}

std::string_view without_port(std::string_view host) {
    const auto [name, port, is_literal] = taken_apart(host);
    const bool is_well_formed =
        port.empty() || (port.front() == ':' && parse_unsigned<std::uint16_t>(port.substr(1)).has_value());
    return is_well_formed ? name : std::string_view{};
}

std::string neighbourhood_of(const Address& address) {
    if (address.family == Family::Ipv4) return to_string(address);
    constexpr std::size_t kNetworkOctets = 8;
    auto network = address;
    std::fill(network.octets.begin() + kNetworkOctets, network.octets.end(), 0);
    return fmt::format("{}/64", to_string(network));
}

}  // namespace headgate::http
