// SPDX-License-Identifier: GPL-2.0-or-later
// Finds the handler of a request in one table of methods and paths.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace headgate::http {

using Handler = std::function<Response(const Request&)>;

/// Whether a request has a body, which is then JSON.
enum class Body : std::uint8_t { None, Json };

/// Who may ask over TCP: authenticated clients, or any client where the response reveals nothing about this gateway.
enum class Openness : std::uint8_t { Known, Anybody };

struct Route {
    std::string_view method;
    std::string_view path;  ///< `/v1/operations/{id}`: braces stand for one segment, passed on decoded
    Body body = Body::None;
    std::vector<std::string_view> query;  ///< the parameters that are known; any other is an error
    Handler handler;
    Openness openness = Openness::Known;
    std::vector<std::string_view> repeatable = {};  ///< the parameters that may be repeated
};

/// Thread-safe.
class Router {
  public:
    explicit Router(std::vector<Route> routes) : routes_(std::move(routes)) {}

    /// Always returns a response, 404, 405 and 415 included. HEAD is answered as GET; the connection leaves out the
    /// body (RFC 9110, section 9.3.2).
    [[nodiscard]] Response answer(Request request) const;

    /// Whether the request's path is open to any client.
    [[nodiscard]] bool is_open(const Request& request) const;

    [[nodiscard]] const std::vector<Route>& routes() const noexcept { return routes_; }

  private:
    std::vector<Route> routes_;
};

/// Decodes %XX, and in a query `+` as a space. A malformed escape is an error.
enum class UrlPart : std::uint8_t { Path, Query };
[[nodiscard]] Result<std::string> decoded(std::string_view text, UrlPart part);

/// Parses a request's target (`/path?name=value&...`) into path and query. The host of an absolute URL replaces the
/// Host header field.
[[nodiscard]] Result<void> parse_target(std::string_view target, Request& request);

}  // namespace headgate::http
