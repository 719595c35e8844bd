// SPDX-License-Identifier: GPL-2.0-or-later
// The agent's HTTP server. Threads exist for complete requests only, started on demand up to a limit; idle and slow
// connections wait in one epoll(7) and occupy none. An idle server never wakes up.
//
// Poco's HTTPServer is not used: its accept loop wakes up four times a second, and it keeps a thread per connection.
// Nor do its HTTPServerSession and HTTPServerRequest parse what this server has received. Poco 1.11 accepts heads that
// RFC 9112 rejects: two hosts, two lengths of the body, the length `+5`, a length beside chunks, a space before the
// colon, a line without a colon, control characters in a name or the method, an end in the middle. It decodes
// `=?UTF-8?Q?a=0Ab?=` in a value to a line end. A parser in front that rejects these leaves nothing for Poco's to do.
// Responses, sockets and TLS are Poco's.
//
// The parts of this room: listener.h and stream.h are sockets and TLS; head.h, body.h and request_reader.h parse
// requests; connection.h is one connection, guests.h all of them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "headgate/result.h"

#include "files/file_descriptor.h"
#include "http/server/connection.h"
#include "http/server/guests.h"
#include "http/server/listener.h"

namespace headgate::http {

class Server {
  public:
    /// Starts to accept connections. `handler` must outlive the server.
    [[nodiscard]] static Result<std::unique_ptr<Server>> start(std::vector<Listener> listeners, RequestHandler& handler,
                                                               const Limits& limits = {});
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Replaces the listeners. Connections accepted on other terms close after their current request.
    void listen_on(std::vector<Listener> listeners);

    /// Stops accepting connections and requests; requests being answered continue.
    void wind_down();

    /// Stops accepting connections, lets requests in progress finish, and cuts those that take more than a few seconds.
    /// Releases the listeners before it returns. Idempotent.
    void stop();

    /// Number of open connections.
    [[nodiscard]] std::size_t connections() const;

    /// Number of requests being answered.
    [[nodiscard]] std::size_t answering() const;

  private:
    Server(std::vector<Listener> listeners, RequestHandler& handler, const Limits& limits)
        : handler_(handler), limits_(limits), listeners_(std::move(listeners)) {}

    [[nodiscard]] Result<void> open();

    void accept_connections();
    [[nodiscard]] bool accept_round();
    [[nodiscard]] bool accept_from(const Listener& listener);
    void end_expired();
    void accept(Guest guest);
    [[nodiscard]] bool admit(Guest& guest);
    void turn_away(const Guest& guest) const;
    void wake_acceptor() const;

    [[nodiscard]] Result<void> start_worker();
    void work();
    [[nodiscard]] Guest* claim(Guests::Id id);
    void serve(Guests::Id id, Guest& guest);
    [[nodiscard]] std::optional<Rest> advance(Guests::Id id, Guest& guest);
    [[nodiscard]] std::optional<Guest> put_back(Guests::Id id, Guest& guest, const std::optional<Rest>& rest);
    [[nodiscard]] bool lay_down(Guests::Id id, Guest& guest, const Rest& rest);
    [[nodiscard]] bool wait_for(Guests::Id id, const Guest& guest, int operation) const;
    [[nodiscard]] bool is_stopping() const;
    [[nodiscard]] bool is_last(Guests::Id id) const;
    void begin_answer(Guests::Id id);

    RequestHandler& handler_;
    const Limits limits_;
    FileDescriptor wake_up_;  ///< of the accepting thread
    FileDescriptor epoll_;    ///< all connections; each event is delivered to one worker
    FileDescriptor at_end_;   ///< registered in epoll_; readable when the workers must end

    mutable std::mutex mutex_;  ///< guards all members below, except acceptor_
    std::condition_variable changed_;
    bool stopping_ = false;
    std::vector<Listener> listeners_;
    Guests guests_;
    Deadline next_look_ = Deadline::max();  ///< when the acceptor next checks deadlines
    std::vector<std::jthread> threads_;
    std::atomic<std::size_t> free_threads_ = 0;  ///< written under the mutex

    std::jthread acceptor_;
};

}  // namespace headgate::http
