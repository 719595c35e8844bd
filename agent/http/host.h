// SPDX-License-Identifier: GPL-2.0-or-later
// The host that a request names: a name or an address, and optionally a port (RFC 3986, section 3.2).
#pragma once

#include <string>
#include <string_view>

#include "headgate/address.h"

namespace headgate::http {

/// Whether the text is `uri-host [ ":" port ]` (RFC 9110, section 7.2), which may be empty.
[[nodiscard]] bool is_host(std::string_view text);

/// `localhost:8443`, `[::1]:8443`, `127.0.0.1` without port and brackets; empty where the text has another form.
[[nodiscard]] std::string_view without_port(std::string_view host);

/// The unit by which unauthenticated clients are counted: an IPv4 address, or an IPv6 /64, since a host with one
/// address there can use them all (RFC 4291, section 2.5.1: an interface identifier has 64 bits).
[[nodiscard]] std::string neighbourhood_of(const Address& address);

}  // namespace headgate::http
