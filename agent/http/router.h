// Finds the handler of a request: one table of methods and paths.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace headgate::http {

using Handler = std::function<Answer(const Request&)>;

/// Whether a request brings a body, which is JSON then.
enum class Body : std::uint8_t { None, Json };

/// Who may ask over TCP: those who show who they are, or anybody, as it tells nothing of this gateway.
enum class Openness : std::uint8_t { Known, Anybody };

struct Route {
    std::string_view method;
    std::string_view path;  ///< `/v1/operations/{id}`: braces stand for one part of the path, handed over decoded
    Body body = Body::None;
    std::vector<std::string_view> query;  ///< the parameters that it takes; another one is an error
    Handler handler;
    Openness openness = Openness::Known;
    std::vector<std::string_view> repeatable = {};  ///< those parameters that may be given more than once
};

/// Thread-safe.
class Router {
  public:
    explicit Router(std::vector<Route> routes) : routes_(std::move(routes)) {}

    /// Every request has an answer: 404, 405 and 415 among them. HEAD is answered as GET; that its answer goes without
    /// a body is up to the connection (RFC 9110, section 9.3.2).
    [[nodiscard]] Answer answer(Request request) const;

    /// Whether its path is for anybody.
    [[nodiscard]] bool is_open(const Request& request) const;

    [[nodiscard]] const std::vector<Route>& routes() const noexcept { return routes_; }

  private:
    std::vector<Route> routes_;
};

/// Undoes %XX; `+` is a space in a query. An error where that is not well-formed.
enum class UrlPart : std::uint8_t { Path, Query };
[[nodiscard]] Result<std::string> decoded(std::string_view text, UrlPart part);

/// Takes a request's target (`/path?name=value&...`) apart into path and query. Where it is a whole URL, its host
/// becomes the request's.
[[nodiscard]] Result<void> take_target(std::string_view target, Request& request);

}  // namespace headgate::http
