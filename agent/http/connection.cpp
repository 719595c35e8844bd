#include "http/connection.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <sstream>

#include "flow/text.h"
#include "http/body.h"
#include "http/problem.h"
#include "http/router.h"

namespace headgate::http {
namespace {

using Poco::Net::HTTPMessage;
using Poco::Net::HTTPRequest;
using Poco::Net::HTTPResponse;

constexpr std::size_t kLongestNote = 256;  ///< of what a peer says about itself

enum class Then : std::uint8_t { KeepAlive, Close };

/// What is wrong with a message, by the errno of who read it.
int status_of(const Error& error, int too_long) {
    switch (error.number) {
        case EMSGSIZE:
            return too_long;
        case ETIMEDOUT:
            return 408;
        default:
            return 400;
    }
}

/// Every line but the first and the last is `name: value`: the parser is not strict enough about it.
bool has_fields_alone(std::string_view head) {
    head.remove_prefix(head.find('\n') + 1);
    while (head.size() > 2) {
        const auto name = take_until(head, '\n');
        const auto colon = name.find(':');
        if (colon == std::string_view::npos || name.find_first_of(" \t") < colon || colon == 0) return false;
    }
    return true;
}

Result<HTTPRequest> parse_head(const std::string& head) {
    if (!has_fields_alone(head)) return invalid("the request is not well-formed HTTP");
    try {
        std::istringstream text{head};
        HTTPRequest request;
        request.read(text);
        if (request.getVersion() == HTTPMessage::HTTP_1_1 || request.getVersion() == HTTPMessage::HTTP_1_0) {
            return request;
        }
        return invalid("only HTTP/1.1 and HTTP/1.0 are spoken here");
    } catch (const Poco::Exception&) {
        return invalid("the request is not well-formed HTTP");
    }
}

/// What the peer says of itself; taken from root alone, who could pretend anything anyway.
std::string note_of(const Request& request, const char* name) {
    const auto note = request.header(name);
    const auto printable = [](char c) { return c >= ' ' && c < 0x7F; };
    return note.size() <= kLongestNote && std::ranges::all_of(note, printable) ? std::string{note} : std::string{};
}

Result<Request> request_of(const HTTPRequest& head, const Peer& peer) {
    Request request;
    request.method = head.getMethod();
    for (const auto& [name, value] : head) {
        const auto [field, is_new] = request.headers.emplace(name, value);
        if (!is_new) field->second.append(", ").append(value);  // RFC 9110, section 5.3
    }
    request.caller = peer.caller;
    if (peer.caller.uid == 0U) {
        request.caller.sudo_user = note_of(request, "X-Headgate-Sudo-User");
        request.caller.source_address = note_of(request, "X-Headgate-Source-Address");
    }
    if (auto taken = take_target(head.getURI(), request); !taken) return tl::unexpected(std::move(taken.error()));
    return request;
}

class Connection {
  public:
    Connection(Wire& wire, const Peer& peer, const Service& service) : wire_(wire), peer_(peer), service_(service) {}

    void serve() {
        while (wait_for_request() && serve_one() == Then::KeepAlive) {
        }
    }

  private:
    bool wait_for_request() {
        service_.idles(true);
        const bool there = wire_.wait_for_data(in(served_ == 0 ? limits().request : limits().idle));
        service_.idles(false);
        return there;
    }

    Then serve_one() {
        const auto until = in(limits().request);
        const auto text = wire_.read_head(limits().header, until);
        if (!text) return reject(problem(status_of(text.error(), 431), text.error().message));
        const auto head = parse_head(*text);
        if (!head) return reject(problem_of(head.error()));
        if (!peer_.is_admitted) {
            return reject(
                problem(403, fmt::format("only root and members of the group {} may ask headgate", kGroup), EACCES));
        }
        auto request = request_of(*head, peer_);
        if (!request) return reject(problem_of(request.error()));
        if (auto refused = take_body(*head, *request, until)) return reject(*refused);
        ++served_;
        const bool keeps = head->getKeepAlive() && !service_.is_stopping() && !service_.is_wanted();
        return answer(*head, std::move(*request), keeps ? Then::KeepAlive : Then::Close);
    }

    /// What speaks against the body, if anything.
    std::optional<Answer> take_body(const HTTPRequest& head, Request& request, Deadline until) {
        auto reader = BodyReader::of(head, wire_);
        if (!reader) return problem_of(reader.error());
        if (reader->is_at_end()) return std::nullopt;
        if (head.getExpectContinue()) {
            const auto asked = wire_.write("HTTP/1.1 100 Continue\r\n\r\n", limits().sending);
            if (!asked) return problem(400, asked.error().message);
        }
        auto body = reader->read_all(limits().body, until);
        if (!body) return problem(status_of(body.error(), 413), body.error().message);
        request.body = std::move(*body);
        return std::nullopt;
    }

    Then answer(const HTTPRequest& head, Request request, Then then) {
        request.is_over = [this] { return service_.is_stopping() || wire_.is_abandoned(); };
        const auto answered = service_.answer(std::move(request));
        if (answered.stream) return stream(head, answered, then);
        const bool body = head.getMethod() != HTTPRequest::HTTP_HEAD;
        return send(answered, then, body) ? then : Then::Close;
    }

    /// The connection is of no use any more: where the request ends is not known, or nobody may ask.
    Then reject(const Answer& rejection) {
        if (send(rejection, Then::Close, true)) wire_.finish(in(std::chrono::seconds{2}));
        return Then::Close;
    }

    bool send(const Answer& answer, Then then, bool with_body) {
        auto response = response_of(answer, then);
        response.setContentLength64(static_cast<Poco::Int64>(answer.body.size()));
        auto text = text_of(response);
        if (with_body) text += answer.body;
        return wire_.write(text, limits().sending).has_value();
    }

    Then stream(const HTTPRequest& head, const Answer& answer, Then then) {
        // Who speaks HTTP/1.0 knows no chunks: there, the end of the connection is the end of the body.
        const bool chunked = head.getVersion() == HTTPMessage::HTTP_1_1;
        if (!chunked) then = Then::Close;
        ChunkWriter chunks{wire_, limits().sending};
        bool begun = false;
        const auto begin = [&]() -> Result<void> {
            if (std::exchange(begun, true)) return {};
            auto response = response_of(answer, then);
            response.setChunkedTransferEncoding(chunked);
            return wire_.write(text_of(response), limits().sending);
        };
        auto streamed = answer.stream([&](std::string_view piece) -> Result<void> {
            return begin().and_then(
                [&] { return chunked ? chunks.write(piece) : wire_.write(piece, limits().sending); });
        });
        if (!streamed && !begun) return send(problem_of(streamed.error()), then, true) ? then : Then::Close;
        if (streamed) streamed = begin();
        if (streamed && chunked) streamed = chunks.finish();
        return streamed ? then : Then::Close;
    }

    static HTTPResponse response_of(const Answer& answer, Then then) {
        HTTPResponse response{HTTPMessage::HTTP_1_1, static_cast<HTTPResponse::HTTPStatus>(answer.status)};
        response.setDate(Poco::Timestamp{});
        response.setContentType(answer.content_type);
        response.setKeepAlive(then == Then::KeepAlive);
        for (const auto& [name, value] : answer.headers)
            response.set(name, value);
        return response;
    }

    static std::string text_of(const HTTPResponse& response) {
        std::ostringstream text;
        response.write(text);
        return text.str();
    }

    [[nodiscard]] const Limits& limits() const { return service_.limits; }

    Wire& wire_;
    const Peer& peer_;
    const Service& service_;
    unsigned served_ = 0;
};

}  // namespace

void serve(Wire& wire, const Peer& peer, const Service& service) {
    Connection{wire, peer, service}.serve();
}

}  // namespace headgate::http
