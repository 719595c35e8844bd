#include "http/server/connection.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <sstream>

#include "flow/text.h"
#include "http/problem.h"
#include "http/router.h"
#include "http/server/body.h"

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

/// RFC 9110, section 5.6.2
bool is_token(std::string_view text) {
    const auto fits = [](char c) {
        const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        return alphanumeric || std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
    };
    return !text.empty() && std::ranges::all_of(text, fits);
}

/// RFC 9110, section 5.5
bool is_field_value(std::string_view text) {
    return std::ranges::none_of(text, [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7F; });
}

std::string_view take_line(std::string_view& head) {
    auto line = take_until(head, '\n');
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

/// Not by Poco, which decodes words in fields as mail has them (RFC 2047): what is signed, and what a proxy in front
/// has read, are the fields as they are.
Result<HTTPRequest> parse_head(std::string_view head) {
    const auto malformed = invalid("the request is not well-formed HTTP");
    auto line = take_line(head);
    const auto method = take_until(line, ' ');
    const auto target = take_until(line, ' ');
    if (!is_token(method) || target.empty() || !is_field_value(target)) return malformed;
    if (line != HTTPMessage::HTTP_1_1 && line != HTTPMessage::HTTP_1_0) {
        return invalid("only HTTP/1.1 and HTTP/1.0 are spoken here");
    }
    HTTPRequest request{std::string{method}, std::string{target}, std::string{line}};
    for (line = take_line(head); !line.empty(); line = take_line(head)) {
        const auto name = take_until(line, ':');
        if (!is_token(name) || !is_field_value(line)) return malformed;
        request.add(std::string{name}, std::string{trimmed(line)});
    }
    return request;
}

/// What the peer says of itself; taken from root alone, who could pretend anything anyway.
std::string note_of(const Request& request, const char* name) {
    const auto note = request.header(name);
    const auto printable = [](char c) { return c >= ' ' && c < 0x7F; };
    return note.size() <= kLongestNote && std::ranges::all_of(note, printable) ? std::string{note} : std::string{};
}

/// What the head says, put into the request; as much of it as there is, also where something is wrong with it.
Result<void> take_head(const HTTPRequest& head, Request& request) {
    request.method = head.getMethod();
    for (const auto& [name, value] : head) {
        const auto [field, is_new] = request.headers.emplace(name, value);
        if (!is_new) field->second.append(", ").append(value);  // RFC 9110, section 5.3
    }
    if (request.caller.uid == 0U) {
        request.caller.sudo_user = note_of(request, "X-Headgate-Sudo-User");
        request.caller.source_address = note_of(request, "X-Headgate-Source-Address");
    }
    return take_target(head.getURI(), request);
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
        if (served_ == 0) return wire_.wait_for_data(in(limits().request));
        service_.enters(Phase::Idle);
        return wire_.wait_for_data(in(limits().idle));
    }

    Then serve_one() {
        const auto begun = std::chrono::steady_clock::now();
        sent_ = {};
        Request request;
        request.caller = peer_.caller;
        request.admission = peer_.admission;
        request.own_flows = peer_.own_flows;
        request.certificate_name = wire_.certificate_name();
        const auto then = answer_next(request, begun + limits().request);
        RequestRecord record{request.caller,
                             request.method,
                             request.path,
                             sent_.route,
                             sent_.status,
                             sent_.bytes,
                             std::chrono::steady_clock::now() - begun,
                             sent_.cut};
        service_.answering.finished(record);
        return then;
    }

    Then answer_next(Request& request, Deadline until) {
        const auto text = wire_.read_head(limits().header, until);
        if (!text) return reject(request, status_of(text.error(), 431), text.error().message);
        const auto head = parse_head(*text);
        if (!head) return reject(request, 400, head.error().message);
        auto taken = take_head(*head, request);
        if (!taken) return reject(request, 400, taken.error().message);
        if (!peer_.is_admitted) {
            return reject(request, 403, fmt::format("only root and members of the group {} may ask headgate", kGroup));
        }
        if (const auto objected = take_body(*head, request, until)) {
            return reject(request, objected->status, objected->detail);
        }
        ++served_;
        service_.enters(Phase::Answering);
        const bool keeps = head->getKeepAlive() && !service_.is_stopping() && !service_.is_last();
        return answer(*head, request, keeps ? Then::KeepAlive : Then::Close);
    }

    /// What speaks against the body, if anything.
    struct Objection {
        int status = 400;
        std::string detail;
    };
    std::optional<Objection> take_body(const HTTPRequest& head, Request& request, Deadline until) {
        auto reader = BodyReader::of(head, wire_);
        if (!reader) return Objection{400, reader.error().message};
        if (reader->is_at_end()) return std::nullopt;
        if (reader->left() > limits().body) return Objection{413, too_long()};
        if (head.getExpectContinue()) {
            const auto asked = wire_.write("HTTP/1.1 100 Continue\r\n\r\n", limits().sending);
            if (!asked) return Objection{400, asked.error().message};
        }
        auto body = reader->read_all(limits().body, until);
        if (!body) return Objection{status_of(body.error(), 413), body.error().message};
        request.body = std::move(*body);
        return std::nullopt;
    }

    Then answer(const HTTPRequest& head, Request& request, Then then) {
        request.is_over = [this] { return service_.is_stopping() || wire_.is_abandoned(); };
        const auto answered = service_.answering.answer(request);
        if (answered.stream) return stream(head, answered, then);
        const bool body = head.getMethod() != HTTPRequest::HTTP_HEAD;
        return send(answered, then, body) ? then : Then::Close;
    }

    /// The connection is of no use any more: where the request ends is not known, or nobody may ask.
    Then reject(const Request& request, int status, std::string_view detail) {
        const auto rejection = service_.answering.objection(request, status, detail);
        if (send(rejection, Then::Close, true)) wire_.finish(in(std::chrono::seconds{2}));
        return Then::Close;
    }

    bool send(const Answer& answer, Then then, bool with_body) {
        auto response = response_of(answer, then);
        response.setContentLength64(static_cast<Poco::Int64>(answer.body.size()));
        auto text = text_of(response);
        if (with_body) text += answer.body;
        const bool is_sent = wire_.write(text, limits().sending).has_value();
        sent_ = {answer.route, answer.status, with_body && is_sent ? answer.body.size() : 0, !is_sent};
        return is_sent;
    }

    Then stream(const HTTPRequest& head, const Answer& answer, Then then) {
        // Who speaks HTTP/1.0 knows no chunks: there, the end of the connection is the end of the body.
        const bool chunked = head.getVersion() == HTTPMessage::HTTP_1_1;
        if (!chunked) then = Then::Close;
        ChunkWriter chunks{wire_, limits().sending};
        sent_ = {answer.route, answer.status, 0, false};
        bool begun = false;
        const auto begin = [&]() -> Result<void> {
            if (std::exchange(begun, true)) return {};
            auto response = response_of(answer, then);
            response.setChunkedTransferEncoding(chunked);
            return wire_.write(text_of(response), limits().sending);
        };
        if (head.getMethod() == HTTPRequest::HTTP_HEAD) return begin() ? then : Then::Close;
        auto streamed = answer.stream([&](std::string_view piece) -> Result<void> {
            sent_.bytes += piece.size();
            return begin().and_then(
                [&] { return chunked ? chunks.write(piece) : wire_.write(piece, limits().sending); });
        });
        if (!streamed && !begun) return send(problem_of(streamed.error()), then, true) ? then : Then::Close;
        if (streamed) streamed = begin();
        if (streamed && chunked) streamed = chunks.finish();
        sent_.cut = !streamed;
        return streamed ? then : Then::Close;
    }

    static HTTPResponse response_of(const Answer& answer, Then then) {
        HTTPResponse response{HTTPMessage::HTTP_1_1, static_cast<HTTPResponse::HTTPStatus>(answer.status)};
        response.setDate(Poco::Timestamp{});
        response.setContentType(answer.content_type);
        response.setKeepAlive(then == Then::KeepAlive);
        response.set("X-Content-Type-Options", "nosniff");  // WHATWG Fetch, section 3.8: a browser believes the type
        for (const auto& [name, value] : answer.headers)
            response.set(name, value);
        return response;
    }

    static std::string text_of(const HTTPResponse& response) {
        std::ostringstream text;
        response.write(text);
        return text.str();
    }

    [[nodiscard]] std::string too_long() const {
        return fmt::format("the body is longer than {} bytes", limits().body);
    }
    [[nodiscard]] const Limits& limits() const { return service_.limits; }

    Wire& wire_;
    const Peer& peer_;
    const Service& service_;
    unsigned served_ = 0;

    /// What became of the request in hand.
    struct Sent {
        std::string_view route;
        int status = 0;
        std::uint64_t bytes = 0;
        bool cut = false;
    };
    Sent sent_;
};

}  // namespace

void serve(Wire& wire, const Peer& peer, const Service& service) {
    Connection{wire, peer, service}.serve();
    wire.end();
}

}  // namespace headgate::http
