// A request to the agent and its answer: the client's side of one connection.
//
// An agent that is being restarted ends connections without an answer, and for a moment there may be none. A question
// of which nothing was answered is asked again until an agent answers, or `restart` is over. So every question must be
// one that can be asked twice: it only looks, or changes nothing the second time, or has an Idempotency-Key.
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

/// The target of a request, built piece by piece and encoded.
class Target {
  public:
    explicit Target(std::string_view path) : text_(path) {}

    Target& part(std::string_view part);  ///< `/part`
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
    std::chrono::milliseconds patience = std::chrono::minutes{5};  ///< for the answer, or for its next part
    std::chrono::milliseconds restart = std::chrono::seconds{15};  ///< that an agent may take to come back
};

/// An answer of which nobody knows when its next part comes.
struct EndlessQuestion {
    Question question;              ///< its patience is for the answer's begin
    std::function<bool()> is_over;  ///< asked several times a second while nothing comes, nor anybody answers
};

/// Whether an agent listens there at all. One that is just opening its socket is waited for. EACCES: this user may not
/// ask.
[[nodiscard]] Result<void> reach(const std::filesystem::path& socket);

/// The body of the answer. A problem comes back as the error that it tells.
[[nodiscard]] Result<std::string> ask(const std::filesystem::path& socket, const Question& question);

/// The same for an answer of any length: each line is handed over as it comes, without its end.
[[nodiscard]] Result<void> ask_for_lines(const std::filesystem::path& socket, const Question& question,
                                         const std::function<Result<void>(const std::string&)>& take);

/// The same for an answer that goes on until somebody says that it is over, or the other side ends it.
[[nodiscard]] Result<void> ask_for_lines(const std::filesystem::path& socket, const EndlessQuestion& question,
                                         const std::function<Result<void>(const std::string&)>& take);

}  // namespace headgate::http
