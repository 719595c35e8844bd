// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/client/exchange.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>

#include <cerrno>
#include <optional>
#include <sstream>
#include <thread>

#include "base/text.h"
#include "http/problem.h"
#include "http/server/body.h"
#include "http/server/stream.h"
#include "http/server/unix_listener.h"

namespace headgate::http {
namespace {

using Poco::Net::HTTPMessage;
using Poco::Net::HTTPRequest;
using Poco::Net::HTTPResponse;

constexpr std::size_t kLongestHead = 64UL * 1024;
constexpr std::size_t kLongestBody = 256UL * 1024 * 1024;
constexpr std::size_t kLongestLine = 64UL * 1024;  ///< far more than any flow needs
constexpr std::chrono::milliseconds kLookAround{200};
constexpr std::chrono::milliseconds kBetweenTries{100};

/// Longest time between bind(2) and listen(2) of a starting agent (UnixListener::open), with a margin.
constexpr std::chrono::milliseconds kOpening{500};

Result<Stream> open(const std::filesystem::path& socket) {
    auto connected = connect_to(socket);
    if (connected) return Stream{std::move(*connected)};
    auto& error = connected.error();
    if (error.number == EACCES) {
        error.kind = ErrorKind::Forbidden;
        error.message = fmt::format("{}: only root and members of the group {} may ask the agent: use sudo, or join it",
                                    socket.native(), kGroup);
    }
    return tl::unexpected(std::move(error));
}

std::string text_of(const Question& question) {
    HTTPRequest request{question.method, question.target, HTTPMessage::HTTP_1_1};
    request.setHost("localhost");
    request.setKeepAlive(false);
    if (!question.body.empty()) {
        request.setContentType("application/json");
        request.setContentLength64(static_cast<Poco::Int64>(question.body.size()));
    }
    for (const auto& [name, value] : question.headers)
        request.set(name, value);
    std::ostringstream text;
    request.write(text);
    return text.str() + question.body;
}

Result<HTTPResponse> read_response(Stream& stream, Deadline until) {
    ASSIGN_OR_RETURN(const auto head, stream.read_head(kLongestHead, until));
    try {
        std::istringstream text{head};
        HTTPResponse response;
        response.read(text);
        return response;
    } catch (const Poco::Exception&) {
        return failed("the answer is not HTTP");
    }
}

/// A connection on which a response has begun.
struct Answered {
    Stream stream;
    HTTPResponse response;
};

Result<Answered> ask_once(const std::filesystem::path& socket, const Question& question) {
    ASSIGN_OR_RETURN(auto stream, open(socket));
    const auto sent = stream.write(text_of(question), question.patience);
    // A server that refuses the request may close early; its response has the reason.
    if (!sent && sent.error().number != EPIPE) return tl::unexpected(sent.error());
    ASSIGN_OR_RETURN(auto response, read_response(stream, in(question.patience)));
    return Answered{std::move(stream), response};
}

/// Whether the error is that of an agent that stops or is not running.
bool is_restart(const Error& error) {
    return error.kind == ErrorKind::Missing || error.kind == ErrorKind::Disconnected;
}

tl::unexpected<Error> unanswered(Error error, const Question& question) {
    error.message += fmt::format(
        "; the agent has not answered for {} seconds, and may have done what it was asked: see `headgate operations "
        "list`, then ask again",
        std::chrono::ceil<std::chrono::seconds>(question.restart).count());
    return tl::unexpected(std::move(error));
}

bool is_over(const Question& question) {
    return question.is_over && question.is_over();
}

/// Repeats the request until a response begins.
Result<Answered> ask_until_answered(const std::filesystem::path& socket, const Question& question) {
    for (std::optional<Deadline> until;;) {
        auto answered = ask_once(socket, question);
        if (answered || !is_restart(answered.error())) return answered;
        if (!until) until = in(question.restart);
        if (std::chrono::steady_clock::now() >= *until) return unanswered(std::move(answered.error()), question);
        if (is_over(question)) return answered;
        std::this_thread::sleep_for(kBetweenTries);
    }
}

/// The body of a response, unless that is a problem document.
Result<BodyReader> body_of(Answered& answered, const Question& question) {
    ASSIGN_OR_RETURN(const auto framing, framing_of({answered.response.begin(), answered.response.end()}));
    BodyReader body{framing, answered.stream};
    const int status = answered.response.getStatus();
    if (status >= 200 && status < 300) return body;
    ASSIGN_OR_RETURN(const auto text, body.read_all(kLongestBody, in(question.patience)));
    return tl::unexpected(error_of(status, text));
}

/// Splits the body into lines, whatever pieces it arrives in.
class Lines {
  public:
    explicit Lines(const std::function<Result<void>(const std::string&)>& sink) : sink_(sink) {}

    Result<void> feed(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto end = bytes.find('\n');
            line_.append(bytes.substr(0, end));
            if (line_.size() > kLongestLine) return failed("a line is longer than {} bytes", kLongestLine);
            if (end == std::string_view::npos) return {};
            bytes.remove_prefix(end + 1);
            RETURN_IF_ERROR(sink_(line_));
            line_.clear();
        }
        return {};
    }

    [[nodiscard]] Result<void> finish() const {
        return line_.empty() ? Result<void>{} : failed("the last line has no end");
    }

  private:
    const std::function<Result<void>(const std::string&)>& sink_;
    std::string line_;
};

std::string encoded(std::string_view text) {
    std::string safe;
    for (const char c : text) {
        const bool plain = is_letter_or_digit(c) || c == '-' || c == '_' || c == '~';
        safe += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return safe;
}

/// Waits for the next byte or the end of the stream. False: `is_over` came first.
bool wait_unless_over(Stream& stream, const Question& question) {
    while (!is_over(question)) {
        const auto until = in(kLookAround);
        if (stream.wait_for_data(until)) return true;
        // Returned early without data: the peer has closed, and the next read reports it.
        if (std::chrono::steady_clock::now() < until && !is_over(question)) return true;
    }
    return false;
}

}  // namespace

Target& Target::part(std::string_view part) {
    text_ += "/" + encoded(part);
    return *this;
}

Target& Target::parameter(std::string_view name, std::string_view value) {
    text_ += std::exchange(separator_, '&') + encoded(name) + "=" + encoded(value);
    return *this;
}

Result<void> reach(const std::filesystem::path& socket) {
    for (const auto until = in(kOpening);;) {
        auto opened = open(socket);
        const bool is_opening = !opened && opened.error().kind == ErrorKind::Disconnected;
        if (!is_opening || std::chrono::steady_clock::now() >= until) return opened.map([](const Stream&) {});
        std::this_thread::sleep_for(kBetweenTries);
    }
}

Result<std::string> ask(const std::filesystem::path& socket, const Question& question) {
    ASSIGN_OR_RETURN(auto answered, ask_until_answered(socket, question));
    ASSIGN_OR_RETURN(auto body, body_of(answered, question));
    return body.read_all(kLongestBody, in(question.patience));
}

Result<void> ask_for_pieces(const std::filesystem::path& socket, const Question& question,
                            const std::function<Result<void>(std::string_view)>& sink) {
    auto answered = ask_until_answered(socket, question);
    if (!answered) return is_over(question) ? Result<void>{} : tl::unexpected(std::move(answered.error()));
    ASSIGN_OR_RETURN(auto body, body_of(*answered, question));
    for (;;) {
        const bool is_endless_pause = question.is_over && !body.has_more_at_hand();
        if (is_endless_pause && !wait_unless_over(answered->stream, question)) return {};
        ASSIGN_OR_RETURN(const auto bytes, body.read(in(question.patience)));
        RETURN_IF_ERROR(sink(bytes));
        if (bytes.empty()) return {};
        RETURN_IF_ERROR(body.end_chunk(in(question.patience)));
    }
}

Result<void> ask_for_lines(const std::filesystem::path& socket, const Question& question,
                           const std::function<Result<void>(const std::string&)>& sink) {
    Lines lines{sink};
    return ask_for_pieces(socket, question,
                          [&](std::string_view piece) { return piece.empty() ? lines.finish() : lines.feed(piece); });
}

}  // namespace headgate::http
