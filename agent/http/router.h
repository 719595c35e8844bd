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

struct Route {
    std::string_view method;
    std::string_view path;  ///< `/v1/operations/{id}`: braces stand for one part of the path, handed over decoded
    Body body = Body::None;
    std::vector<std::string_view> query;  ///< the parameters that it takes; another one is an error
    Handler handler;
};

/// Thread-safe.
class Router {
  public:
    explicit Router(std::vector<Route> routes) : routes_(std::move(routes)) {}

    /// Every request has an answer: 404, 405 and 415 among them.
    [[nodiscard]] Answer answer(Request request) const;

  private:
    std::vector<Route> routes_;
};

/// Undoes %XX; `+` is a space in a query. An error where that is not well-formed.
enum class UrlPart : std::uint8_t { Path, Query };
[[nodiscard]] Result<std::string> decoded(std::string_view text, UrlPart part);

/// Takes a request's target (`/path?name=value&...`) apart into path and query.
[[nodiscard]] Result<void> take_target(std::string_view target, Request& request);

}  // namespace headgate::http
