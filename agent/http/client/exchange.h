// SPDX-License-Identifier: GPL-2.0-or-later
// A request to the agent and its response: the client's side of one connection.
//
// A restarting agent closes connections unanswered, and for a moment none may listen. A request without any response is
// sent again until an agent answers or `restart` has passed. So every request must be idempotent: it only reads, has no
// effect the second time, or has an Idempotency-Key.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "headgate/result.h"

#include "http/message.h"

namespace headgate::http {

/// Builds the target of a request from its parts, encoded.
class Target {
  public:
    explicit Target(std::string_view path) : text_(path) {}

    Target& part(std::string_view part);  ///< appends `/part`
    Target& parameter(std::string_view name, std::string_view value);

    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    std::string text_;
    char separator_ = '?';
};

struct Question {
    std::string method;
    std::string target;
    std::string body;  ///< JSON; empty: none
    std::vector<std::pair<std::string, std::string>> headers;
    std::chrono::milliseconds patience = std::chrono::minutes{5};  ///< for the response's next part
    std::chrono::milliseconds restart = std::chrono::seconds{15};  ///< timeout for a restarting agent

    /// For a response without end or pace: whether to stop, polled several times a second while waiting. `patience`
    /// then applies to the start of the response.
    std::function<bool()> is_over = {};
};

/// Whether an agent listens on the socket. Waits for one that is just opening it. Forbidden: the user may not use it.
[[nodiscard]] Result<void> reach(const std::filesystem::path& socket);

/// Returns the body of the response. A problem document is returned as the error it describes.
[[nodiscard]] Result<std::string> ask(const std::filesystem::path& socket, const Question& question);

/// Likewise for a body of any length: passes on its bytes as they arrive; an empty piece is the end of a whole body.
[[nodiscard]] Result<void> ask_for_pieces(const std::filesystem::path& socket, const Question& question,
                                          const std::function<Result<void>(std::string_view)>& sink);

/// Likewise: passes on each line as it arrives, without its line end.
[[nodiscard]] Result<void> ask_for_lines(const std::filesystem::path& socket, const Question& question,
                                         const std::function<Result<void>(const std::string&)>& sink);

}  // namespace headgate::http
