// The host that a request names: a name or an address, and perhaps a port (RFC 3986, section 3.2).
#pragma once

#include <string>
#include <string_view>

#include "headgate/address.h"

namespace headgate::http {

/// Whether it is `uri-host [ ":" port ]` (RFC 9110, section 7.2). The empty one is, too.
[[nodiscard]] bool is_host(std::string_view text);

/// `localhost:8443`, `[::1]:8443`, `127.0.0.1` without port and brackets; empty where it is none of this form.
[[nodiscard]] std::string_view without_port(std::string_view host);

/// Who counts as one among those that are not known: an IPv4 address, and of IPv6 a /64, as whoever has one address
/// there has all of them (RFC 4291, section 2.5.1: an interface's identifier has 64 bits).
[[nodiscard]] std::string neighbourhood_of(const Address& address);

}  // namespace headgate::http
