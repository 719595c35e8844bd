// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/server/connection.h"

#include <Poco/Net/HTTPResponse.h>
#include <poll.h>

#include <array>
#include <sstream>
#include <utility>

#include "http/problem.h"
#include "http/server/body.h"

namespace headgate::http {
namespace {

using Poco::Net::HTTPMessage;
using Poco::Net::HTTPResponse;

/// How long input is drained after a rejection.
constexpr std::chrono::seconds kDraining{2};

constexpr std::size_t kReadAtOnce = 16UL * 1024;

/// Time in which a client on the same network, such as a program with many requests, sends its next one.
constexpr std::chrono::milliseconds kLinger{10};

/// Requests of one connection answered in a row before other connections get the thread.
constexpr unsigned kInARow = 16;

Request blank_request(const Peer& peer) {
    Request request;
    request.caller = peer.caller;
    request.admission = peer.admission;
    request.own_flows = peer.own_flows;
    return request;
}

HTTPResponse response_of(const Response& answer, bool keeps_alive) {
    HTTPResponse response{HTTPMessage::HTTP_1_1, static_cast<HTTPResponse::HTTPStatus>(answer.status)};
    response.setDate(Poco::Timestamp{});
    response.setContentType(answer.content_type);
    response.setKeepAlive(keeps_alive);
    response.set("X-Content-Type-Options", "nosniff");  // WHATWG Fetch, section 3.8: no type sniffing
    for (const auto& [name, value] : answer.headers)
        response.set(name, value);
    return response;
}

std::string text_of(const HTTPResponse& response) {
    std::ostringstream text;
    response.write(text);
    return text.str();
}

}  // namespace

Connection::Connection(std::unique_ptr<Stream> stream, Peer peer, Service service, Deadline arrived)
    : stream_(std::move(stream)),
      peer_(std::move(peer)),
      service_(std::move(service)),
      arrived_(arrived),
      since_(arrived) {
    reader_.emplace(service_.limits.size, blank_request(peer_));
}

Connection::~Connection() {
    try {
        if (is_in_hand()) finish_answer(true);
        stream_->end();
    } catch (const std::exception&) {
        // Most likely out of memory: the end of the request is not logged.
    }
}

std::optional<Rest> Connection::advance() {
    for (in_a_row_ = 0; step_ != Step::Over;) {
        const auto wait = step_ == Step::Receiving ? receive() : step_ == Step::Sending ? send_rest() : drain();
        if (wait) return rest_for(*wait);
    }
    return std::nullopt;
}

std::optional<Rest> Connection::expire() {
    if (step_ != Step::Receiving || !reader_->has_begun()) return std::nullopt;
    reject(408, "nothing came in time");
    return advance();
}

Rest Connection::rest_for(short event) const {
    const auto& limits = service_.limits;
    const auto held = reader_->held() + ahead_.size() + out_.size();
    if (step_ == Step::Sending) return {Phase::Answering, event, sending_since_ + limits.sending, held};
    if (step_ == Step::Draining) return {Phase::Ending, event, sending_since_ + kDraining, held};
    const bool has_begun = reader_->has_begun() || !ahead_.empty();
    if (has_begun) return {Phase::Arriving, event, since_ + limits.request, held};
    return {Phase::Idle, event, has_answered_ ? since_ + limits.idle : arrived_ + limits.request, held};
}

Connection::Wait Connection::receive() {
    if (in_a_row_ >= kInARow && !service_.may_linger()) return POLLOUT;  // ready at once, but queued behind others
    if (ahead_.empty()) {
        std::array<char, kReadAtOnce> buffer;  // NOLINT(*-member-init): clearing it takes time in each request
        const auto moved = stream_->receive(buffer);
        if (moved && moved->wait_for != 0) return comes_again() ? Wait{} : moved->wait_for;
        if (!moved || moved->bytes == 0) {
            end_in_the_middle();
            return std::nullopt;
        }
        ahead_.assign(buffer.data(), moved->bytes);
    }
    parse_received();
    return std::nullopt;
}

/// Waits briefly for the next request, which is cheaper than putting the thread to sleep and waking it up again.
bool Connection::comes_again() const {
    const bool has_just_been_answered = in_a_row_ != 0 && !reader_->has_begun();
    return has_just_been_answered && service_.may_linger() && stream_->wait_readable(in(kLinger)) &&
           !service_.is_last();
}

void Connection::end_in_the_middle() {
    step_ = Step::Over;
    if (reader_->has_begun()) reject(400, "the connection ended in the middle of a message");
}

void Connection::parse_received() {
    const bool had_begun = reader_->has_begun();
    std::string_view bytes = ahead_;
    reader_->receive(bytes);
    ahead_ = std::string{bytes};
    if (!had_begun && reader_->has_begun()) since_ = std::chrono::steady_clock::now();
    if (reader_->has_head() && !peer_.is_admitted && !reader_->error()) {
        return reject(403, fmt::format("only root and members of the group {} may ask headgate", kGroup));
    }
    if (const auto& error = reader_->error()) return reject(error->status, error->detail);
    if (reader_->is_whole()) return answer();
    if (!reader_->take_expectation()) return;
    constexpr std::string_view kGoOn = "HTTP/1.1 100 Continue\r\n\r\n";
    const auto sent = stream_->send_bytes(kGoOn);
    if (!sent || sent->bytes != kGoOn.size()) step_ = Step::Over;
}

void Connection::answer() {
    auto& request = reader_->request();
    service_.begins_answer();
    request.certificate_name = stream_->certificate_name();
    request.is_over = [this] { return service_.is_stopping() || stream_->is_abandoned(); };
    const bool keeps_alive = reader_->head().keeps_alive() && !service_.is_stopping() && !service_.is_last();
    const auto then = keeps_alive ? Then::KeepAlive : Then::Close;
    const auto answered = service_.handler.answer(request);
    return answered.stream ? stream(answered, then) : reply(answered, then);
}

/// Closes the connection after the response: the end of the request is unknown, or the peer is not admitted.
void Connection::reject(int status, std::string_view detail) {
    service_.begins_answer();
    reply(service_.handler.error_response(reader_->request(), status, detail), Then::Drain);
}

void Connection::reply(const Response& answer, Then then) {
    auto response = response_of(answer, then == Then::KeepAlive);
    response.setContentLength64(static_cast<Poco::Int64>(answer.body.size()));
    const bool has_body = reader_->request().method != "HEAD";
    out_ = text_of(response);
    if (has_body) out_ += answer.body;
    sent_ = 0;
    sending_since_ = std::chrono::steady_clock::now();
    record_.route = answer.route;
    record_.status = answer.status;
    record_.bytes = has_body ? answer.body.size() : 0;
    then_ = then;
    step_ = Step::Sending;
}

Connection::Wait Connection::send_rest() {
    while (sent_ < out_.size()) {
        const auto moved = stream_->send_bytes(std::string_view{out_}.substr(sent_));
        if (moved && moved->wait_for != 0) return moved->wait_for;
        if (!moved) {
            finish_answer(true);
            step_ = Step::Over;
            return std::nullopt;
        }
        sent_ += moved->bytes;
        sending_since_ = std::chrono::steady_clock::now();
    }
    out_ = {};
    finish_answer(false);
    switch (then_) {
        case Then::KeepAlive:
            begin_next();
            break;
        case Then::Drain:
            stream_->end_sending();
            step_ = Step::Draining;
            break;
        case Then::Close:
            step_ = Step::Over;
            break;
    }
    return std::nullopt;
}

/// Closing with unread input would reset the connection, and the client would lose the response.
Connection::Wait Connection::drain() {
    std::array<char, kReadAtOnce> buffer{};
    const auto moved = stream_->receive(buffer);
    if (moved && moved->wait_for != 0) return moved->wait_for;
    const bool is_late = std::chrono::steady_clock::now() >= sending_since_ + kDraining;
    if (!moved || moved->bytes == 0 || is_late) step_ = Step::Over;
    return std::nullopt;
}

/// Occupies the thread, as the body is produced while it is sent.
void Connection::stream(const Response& answer, Then then) {
    // HTTP/1.0 has no chunks: the end of the connection marks the end of the body.
    if (reader_->head().is_http_1_0) then = Then::Close;
    record_.route = answer.route;
    record_.status = answer.status;
    record_.bytes = 0;
    const auto streamed = write_stream(answer, then);
    if (step_ == Step::Sending) return;
    finish_answer(!streamed);
    if (streamed && then == Then::KeepAlive) return begin_next();
    step_ = Step::Over;
}

Result<void> Connection::write_stream(const Response& answer, Then then) {
    const bool is_chunked = !reader_->head().is_http_1_0;
    const auto patience = service_.limits.sending;
    ChunkWriter chunks{*stream_, patience};
    bool has_begun = false;
    const auto begin = [&]() -> Result<void> {
        if (std::exchange(has_begun, true)) return {};
        auto response = response_of(answer, then == Then::KeepAlive);
        response.setChunkedTransferEncoding(is_chunked);
        return stream_->write(text_of(response), patience);
    };
    if (reader_->request().method == "HEAD") return begin();
    auto streamed = answer.stream([&](std::string_view piece) -> Result<void> {
        record_.bytes += piece.size();
        return begin().and_then([&] { return is_chunked ? chunks.write(piece) : stream_->write(piece, patience); });
    });
    if (!streamed && !has_begun) {
        reply(problem_of(streamed.error()), then);
        return streamed;
    }
    if (streamed) streamed = begin();
    if (streamed && is_chunked) streamed = chunks.finish();
    return streamed;
}

/// Reports the request as answered, completely or in part.
void Connection::finish_answer(bool is_cut) {
    const auto& request = reader_->request();
    record_.caller = request.caller;
    record_.method = request.method;
    record_.path = request.path;
    record_.duration = std::chrono::steady_clock::now() - since_;
    record_.cut = is_cut;
    if (is_cut && sent_ < out_.size()) record_.bytes = 0;
    service_.handler.finished(std::exchange(record_, {}));
    reader_->request().place.reset();
}

void Connection::begin_next() {
    has_answered_ = true;
    ++in_a_row_;
    since_ = std::chrono::steady_clock::now();
    reader_.emplace(service_.limits.size, blank_request(peer_));
    step_ = Step::Receiving;
}

}  // namespace headgate::http
