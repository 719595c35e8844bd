#include "http/access/same_site.h"

#include "headgate/address.h"

#include "flow/text.h"

namespace headgate::http::access {
namespace {

/// `localhost:8443`, `[::1]:8443`, `127.0.0.1` without the port; empty where it is none of this form.
std::string_view without_port(std::string_view host) {
    const auto bracket = host.find(']');
    const bool is_bracketed = host.starts_with('[') && bracket != std::string_view::npos;
    const auto name = is_bracketed ? host.substr(1, bracket - 1) : host.substr(0, host.find(':'));
    const auto rest = host.substr(is_bracketed ? bracket + 1 : name.size());
    return rest.empty() || (rest.front() == ':' && parse_unsigned<std::uint16_t>(rest.substr(1))) ? name
                                                                                                  : std::string_view{};
}

}  // namespace

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

Result<void> check_local_host(const Request& request) {
    if (request.header("Host").empty()) return {};
    const auto host = without_port(request.header("Host"));
    if (equal_ignoring_case(host, "localhost")) return {};
    const auto address = parse_address(host);
    if (address && is_loopback(*address)) return {};
    return refused("Host: without credentials, this machine is to be asked by a loopback address or as localhost");
}

}  // namespace headgate::http::access
