// One connection: requests in, answers out, until somebody has had enough.
#pragma once

#include <chrono>
#include <functional>

#include "http/message.h"
#include "http/peer.h"
#include "http/wire.h"

namespace headgate::http {

/// What a client may take of us.
struct Limits {
    std::size_t header = 64UL * 1024;
    std::size_t body = 1024UL * 1024;
    std::chrono::milliseconds idle{15'000};     ///< between requests
    std::chrono::milliseconds request{10'000};  ///< for the whole of one, from its first byte
    std::chrono::milliseconds sending{30'000};  ///< for a part of the answer that the client does not take
    std::size_t threads = 32;                   ///< connections that are served at once
    std::size_t waiting = 128;                  ///< connections that wait for a thread
};

/// What is behind a connection.
struct Service {
    std::function<Answer(Request)> answer;
    Limits limits;

    std::function<bool()> is_stopping;  ///< nobody waits for anything any more, and no more requests are taken

    /// Whether somebody else waits for this thread: then the connection does not wait for another request.
    std::function<bool()> is_wanted;

    /// Called when the connection begins (true) and ceases (false) to wait for a request.
    std::function<void(bool)> idles;
};

/// Returns when the connection is over.
void serve(Wire& wire, const Peer& peer, const Service& service);

}  // namespace headgate::http
