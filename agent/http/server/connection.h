// One connection: requests in, answers out, until somebody has had enough. It goes on whenever the client has done
// something, and keeps no thread meanwhile.
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
#include "http/server/wire.h"

namespace headgate::http {

/// What a client may take of us.
struct Limits {
    RequestLimits size;
    std::chrono::milliseconds idle{15'000};     ///< between requests
    std::chrono::milliseconds request{10'000};  ///< for the whole of one, from its first byte; and for a first one
    std::chrono::milliseconds sending{30'000};  ///< for a part of the answer that the client does not take
    std::size_t threads = 32;                   ///< requests that are answered at once
    std::size_t waiting = 128;                  ///< connections beside those
    std::size_t of_one_peer = 32;               ///< connections from one neighbourhood that is not this machine
    std::size_t held = 16UL * 1024 * 1024;      ///< bytes of requests that have come in part, and of answers, together
};

/// What is behind a connection. Thread-safe.
class Answering {
  public:
    virtual ~Answering() = default;

    /// May complete the request: it knows better than the connection who asks.
    virtual Answer answer(Request& request) = 0;

    /// What to say to a request that cannot be taken as it is. Of the request there is as much as could be read.
    virtual Answer objection(const Request& request, int status, std::string_view detail) = 0;

    /// A request has had its answer, or was cut off from it.
    virtual void finished(const RequestRecord& record) = 0;

    /// A connection was closed that never had an answer: there were too many.
    virtual void turned_away() = 0;
};

/// What a connection is busy with.
enum class Phase : std::uint8_t {
    Idle,       ///< nothing of a request has come, be it the first or the next
    Arriving,   ///< a part of one has
    Answering,  ///< one has come, and its answer is not out yet
    Ending,     ///< it is over, and what still comes is thrown away
};

struct Service {
    Answering& answering;
    Limits limits;

    std::function<bool()> is_stopping;  ///< nobody waits for anything any more, and no more requests are taken

    /// Whether the connection ends with the request in hand: what held when it began does so no more.
    std::function<bool()> is_last;

    /// Whether a thread may stay a moment with a client that is likely to ask again at once: others have theirs.
    std::function<bool()> may_linger;

    std::function<void()> begins_answer;
};

/// What a connection waits for that cannot go on by itself.
struct Rest {
    Phase phase = Phase::Idle;
    short event = 0;       ///< POLLIN or POLLOUT: go on when it can be read from, or written to
    Deadline until;        ///< or end it then
    std::size_t held = 0;  ///< bytes of memory
};

/// Not thread-safe: one thread at a time has it go on.
class Connection {
  public:
    /// `arrived`: when it was accepted.
    Connection(std::unique_ptr<Wire> wire, Peer peer, Service service, Deadline arrived);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Goes on as far as the client lets it. Nothing: it is over.
    [[nodiscard]] std::optional<Rest> advance();

    /// The same when its time is over: half a request is answered with 408.
    [[nodiscard]] std::optional<Rest> expire();

  private:
    enum class Step : std::uint8_t { Receiving, Sending, Draining, Over };
    enum class Then : std::uint8_t { KeepAlive, Close, Drain };

    /// What to wait for; nothing: there is another step.
    using Wait = std::optional<short>;

    [[nodiscard]] Wait receive();
    [[nodiscard]] Wait send_rest();
    [[nodiscard]] Wait drain();
    [[nodiscard]] Rest rest_for(short event) const;
    [[nodiscard]] bool comes_again() const;

    void begin_next();
    void take_what_came();
    void end_in_the_middle();
    void answer();
    void stream(const Answer& answer, Then then);
    [[nodiscard]] Result<void> write_stream(const Answer& answer, Then then);
    void reject(int status, std::string_view detail);
    void reply(const Answer& answer, Then then);
    void finish_answer(bool is_cut);
    [[nodiscard]] bool is_in_hand() const { return record_.status != 0; }

    const std::unique_ptr<Wire> wire_;
    const Peer peer_;
    const Service service_;
    const Deadline arrived_;

    Step step_ = Step::Receiving;
    std::optional<RequestReader> reader_;
    std::string ahead_;            ///< has come, and is not read yet
    Deadline since_;               ///< the request in hand began, or the one before had its answer
    bool has_answered_ = false;    ///< a request before this one
    unsigned in_a_row_ = 0;        ///< requests, since it last waited
    std::string out_;              ///< of the answer, from `sent_` on
    std::size_t sent_ = 0;         ///< of it
    Deadline sending_since_;       ///< when the client last took something
    Then then_ = Then::KeepAlive;  ///< when it is out
    RequestRecord record_;         ///< of the answer that is on its way
};

}  // namespace headgate::http
