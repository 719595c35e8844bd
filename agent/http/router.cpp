// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/router.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "http/host.h"
#include "http/problem.h"

namespace headgate::http {
namespace {

bool is_variable(std::string_view part) {
    return part.starts_with('{') && part.ends_with('}');
}

/// The values of the pattern's variables, where the path matches.
std::optional<std::map<std::string, std::string>> match(std::string_view pattern, std::string_view path) {
    std::map<std::string, std::string> members;
    if (std::ranges::count(pattern, '/') != std::ranges::count(path, '/')) return std::nullopt;
    while (!pattern.empty() || !path.empty()) {
        const auto wanted = take_until(pattern, '/');
        auto part = decoded(take_until(path, '/'), UrlPart::Path);
        if (!part || (is_variable(wanted) ? part->empty() : *part != wanted)) return std::nullopt;
        if (is_variable(wanted)) members.emplace(wanted.substr(1, wanted.size() - 2), std::move(*part));
    }
    return members;
}

/// An absolute target (RFC 9112, section 3.2.2): its host overrides the Host header field. On return, `target` is the
/// part after the host, as in a target of origin form.
Result<void> parse_authority(std::string_view& target, Request& request) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
        const auto rest = target.substr(scheme.size());
        const auto host = rest.substr(0, rest.find_first_of("/?"));
        if (host.empty() || !is_host(host)) return invalid("the request's target names no host");
        request.headers.insert_or_assign("Host", std::string{host});
        target = rest.substr(host.size());
        return {};
    }
    return invalid("the request's target must be a path, or a whole URL");
}

/// The error response for a request that violates the route's rules.
std::optional<Response> error_response(const Route& route, const Request& request) {
    for (const auto& [name, value] : request.query) {
        if (std::ranges::find(route.query, name) == route.query.end()) {
            return problem(400, fmt::format("{}: unknown; {} {} takes {}", name, route.method, route.path,
                                            route.query.empty() ? "no parameters" : "other parameters"));
        }
        const bool may_repeat = std::ranges::find(route.repeatable, name) != route.repeatable.end();
        if (!may_repeat && request.query.count(name) > 1) return problem(400, fmt::format("{}: given twice", name));
    }
    if (route.body == Body::None) {
        if (request.body.empty()) return std::nullopt;
        return problem(400, fmt::format("{} {} takes no body", route.method, route.path));
    }
    if (is_media_type(request.header("Content-Type"), "application/json")) return std::nullopt;
    return problem(415, "Content-Type: the body must be application/json");
}

Response not_allowed(const std::vector<std::string_view>& methods) {
    auto allowed = fmt::format("{}", fmt::join(methods, ", "));
    auto answer = problem(405, fmt::format("this path takes {} alone", allowed));
    answer.headers.emplace_back("Allow", std::move(allowed));
    return answer;
}

}  // namespace

Response Router::answer(Request request) const {
    const std::string_view method = request.method == "HEAD" ? "GET" : std::string_view{request.method};
    std::vector<std::string_view> methods;
    for (const auto& route : routes_) {
        auto members = match(route.path, request.path);
        if (!members) continue;
        if (route.method != method) {
            methods.push_back(route.method);
            if (route.method == "GET") methods.emplace_back("HEAD");
            continue;
        }
        request.path_members = std::move(*members);
        auto objected = error_response(route, request);
        auto answer = objected ? std::move(*objected) : route.handler(request);
        if (answer.route.empty()) answer.route = route.path;
        return answer;
    }
    if (!methods.empty()) return not_allowed(methods);
    return problem(404, fmt::format("there is nothing at {}", request.path));
}

bool Router::is_open(const Request& request) const {
    return std::ranges::any_of(
        routes_, [&](const Route& route) { return route.openness == Openness::Anybody && route.path == request.path; });
}

Result<std::string> decoded(std::string_view text, UrlPart part) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && part == UrlPart::Query) {
            plain.push_back(' ');
        } else if (text[i] != '%') {
            plain.push_back(text[i]);
        } else {
            const auto byte = parse_unsigned<std::uint8_t>(text.substr(i + 1, 2), 16);
            if (!byte || text.size() - i < 3)
                return invalid("\"{}\": % must stand before two hexadecimal digits", text);
            plain.push_back(static_cast<char>(*byte));
            i += 2;
        }
    }
    return plain;
}

Result<void> parse_target(std::string_view target, Request& request) {
    if (!target.starts_with('/')) {
        RETURN_IF_ERROR(parse_authority(target, request));
    }
    request.path = take_until(target, '?');
    if (request.path.empty()) request.path = "/";
    request.query_text = target;
    while (!target.empty()) {
        auto value = take_until(target, '&');
        ASSIGN_OR_RETURN(const auto name, decoded(take_until(value, '='), UrlPart::Query));
        auto plain = decoded(value, UrlPart::Query);
        if (!plain) return tl::unexpected(std::move(plain.error()).within(name));
        if (name.empty() && plain->empty()) continue;
        request.query.emplace(name, std::move(*plain));
    }
    return {};
}

}  // namespace headgate::http
