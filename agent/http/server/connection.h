// SPDX-License-Identifier: GPL-2.0-or-later
// One HTTP connection, as a state machine: it advances whenever the socket is ready, and occupies no thread while it
// waits for the client.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "http/message.h"
#include "http/request_record.h"
#include "http/server/peer.h"
#include "http/server/request_reader.h"
#include "http/server/stream.h"

namespace headgate::http {

/// What clients may consume.
struct Limits {
    RequestLimits size;
    std::chrono::milliseconds idle{15'000};     ///< between requests
    std::chrono::milliseconds request{10'000};  ///< from first to last byte; also from accept(2) to the first
    std::chrono::milliseconds sending{30'000};  ///< without the client accepting a byte of the response
    std::size_t threads = 32;                   ///< requests answered at once
    std::size_t waiting = 128;                  ///< connections beyond those
    std::size_t of_one_peer = 32;               ///< connections from one IPv4 address or IPv6 /64, loopback excepted
    std::size_t held = 16UL * 1024 * 1024;      ///< bytes of partial requests and unsent responses, all connections
};

/// What answers the requests of a connection. Thread-safe.
class RequestHandler {
  public:
    virtual ~RequestHandler() = default;

    /// May fill in the request: authentication happens here.
    virtual Response answer(Request& request) = 0;

    /// The response to a request that cannot be accepted. `request` has as much as could be parsed.
    virtual Response error_response(const Request& request, int status, std::string_view detail) = 0;

    /// Called when a request was answered, or its response cut off.
    virtual void finished(const RequestRecord& record) = 0;

    /// Called when a connection is closed unanswered for lack of room.
    virtual void turned_away() = 0;
};

/// What a connection is busy with.
enum class Phase : std::uint8_t {
    Idle,       ///< no byte of a request, the first or the next, has arrived
    Arriving,   ///< a part of a request has arrived
    Answering,  ///< a request is complete, its response is not sent completely
    Ending,     ///< the response is sent, further input is discarded
};

struct Service {
    RequestHandler& handler;
    Limits limits;

    std::function<bool()> is_stopping;  ///< the server stops: no more requests are accepted, and waits end

    /// Whether the connection closes after the current request: its listener is gone or has other terms now.
    std::function<bool()> is_last;

    /// Whether a thread may wait a moment for a client that probably sends its next request at once: others are free.
    std::function<bool()> may_linger;

    std::function<void()> begins_answer;
};

/// What a connection waits for.
struct Rest {
    Phase phase = Phase::Idle;
    short event = 0;       ///< POLLIN or POLLOUT: advance() when the socket is ready for it
    Deadline until;        ///< expire() at this time
    std::size_t held = 0;  ///< bytes of memory
};

/// Not thread-safe: one thread at a time may call it.
class Connection {
  public:
    /// `arrived`: when the connection was accepted.
    Connection(std::unique_ptr<Stream> stream, Peer peer, Service service, Deadline arrived);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Advances as far as the client allows. Nothing: the connection is over.
    [[nodiscard]] std::optional<Rest> advance();

    /// Called when the deadline has passed: a partial request is answered with 408.
    [[nodiscard]] std::optional<Rest> expire();

  private:
    enum class Step : std::uint8_t { Receiving, Sending, Draining, Over };
    enum class Then : std::uint8_t { KeepAlive, Close, Drain };

    /// The event to wait for; nothing: continue with the next step.
    using Wait = std::optional<short>;

    [[nodiscard]] Wait receive();
    [[nodiscard]] Wait send_rest();
    [[nodiscard]] Wait drain();
    [[nodiscard]] Rest rest_for(short event) const;
    [[nodiscard]] bool comes_again() const;

    void begin_next();
    void parse_received();
    void end_in_the_middle();
    void answer();
    void stream(const Response& answer, Then then);
    [[nodiscard]] Result<void> write_stream(const Response& answer, Then then);
    void reject(int status, std::string_view detail);
    void reply(const Response& answer, Then then);
    void finish_answer(bool is_cut);
    [[nodiscard]] bool is_in_hand() const { return record_.status != 0; }

    const std::unique_ptr<Stream> stream_;
    const Peer peer_;
    const Service service_;
    const Deadline arrived_;

    Step step_ = Step::Receiving;
    std::optional<RequestReader> reader_;
    std::string ahead_;            ///< received, not parsed yet
    Deadline since_;               ///< start of the current request, or end of the previous response
    bool has_answered_ = false;    ///< an earlier request
    unsigned in_a_row_ = 0;        ///< requests answered since the connection last waited
    std::string out_;              ///< the response; from `sent_` on it is unsent
    std::size_t sent_ = 0;         ///< bytes of `out_`
    Deadline sending_since_;       ///< when the client last accepted bytes
    Then then_ = Then::KeepAlive;  ///< once `out_` is sent
    RequestRecord record_;         ///< of the response being sent
};

}  // namespace headgate::http
