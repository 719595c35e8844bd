// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/access/same_site.h"

#include "headgate/address.h"

#include "base/text.h"
#include "http/host.h"

namespace headgate::http::access {
Result<void> check_origin(const Request& request) {
    const auto origin = request.header("Origin");
    if (origin.empty()) return {};
    for (const std::string_view scheme : {"https://", "http://"}) {
        if (origin.starts_with(scheme) && equal_ignoring_case(origin.substr(scheme.size()), request.header("Host"))) {
            return {};
        }
    }
    return refused("Origin: a page of another site may not ask");
}

Result<void> check_fetch_site(const Request& request) {
    const auto site = request.header("Sec-Fetch-Site");
    if (site.empty() || site == "same-origin" || site == "none") return {};
    return refused("Sec-Fetch-Site: a page of another site may not ask");
}

Result<void> check_local_host(const Request& request) {
    if (request.header("Host").empty()) return {};
    const auto host = without_port(request.header("Host"));
    if (equal_ignoring_case(host, "localhost")) return {};
    const auto address = parse_address(host);
    if (address && is_loopback(*address)) return {};
    return refused("Host: without credentials, this machine is to be asked by a loopback address or as localhost");
}

}  // namespace headgate::http::access
