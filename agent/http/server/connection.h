// One connection: requests in, answers out, until somebody has had enough.
#pragma once

#include <chrono>
#include <functional>

#include "http/message.h"
#include "http/request_record.h"
#include "http/server/peer.h"
#include "http/server/wire.h"

namespace headgate::http {

/// What a client may take of us.
struct Limits {
    std::size_t header = 64UL * 1024;
    std::size_t body = 128UL * 1024;
    std::chrono::milliseconds idle{15'000};     ///< between requests
    std::chrono::milliseconds request{10'000};  ///< for the whole of one, from its first byte
    std::chrono::milliseconds sending{30'000};  ///< for a part of the answer that the client does not take
    std::size_t threads = 32;                   ///< connections that are served at once
    std::size_t waiting = 128;                  ///< connections that wait for a thread
    std::size_t of_one_peer = 32;               ///< of both kinds, from one address that is not this machine's
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

    /// A connection was closed before anything was read from it: there were too many.
    virtual void turned_away() = 0;
};

/// What a connection is busy with.
enum class Phase : std::uint8_t {
    Arriving,   ///< its first request, which has not come wholly
    Answering,  ///< a request has come, and is being answered
    Idle,       ///< it has had an answer, and may ask for another one, or not
};

struct Service {
    Answering& answering;
    Limits limits;

    std::function<bool()> is_stopping;  ///< nobody waits for anything any more, and no more requests are taken

    /// Whether the connection ends with the request in hand: somebody else waits for its thread, or what held when it
    /// began does so no more.
    std::function<bool()> is_last;

    std::function<void(Phase)> enters;
};

/// Returns when the connection is over.
void serve(Wire& wire, const Peer& peer, const Service& service);

}  // namespace headgate::http
