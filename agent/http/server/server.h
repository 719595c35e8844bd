// The agent's HTTP server: takes connections, and has a thread for each request that is there, of which there are as
// many as are needed and a bounded number. Whoever says nothing, or is slow, keeps none: they all wait in one epoll(7).
// When nobody asks, nothing runs: no thread wakes up by itself.
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
    /// Begins to take connections. `answering` outlives the server.
    [[nodiscard]] static Result<std::unique_ptr<Server>> start(std::vector<Listener> listeners, Answering& answering,
                                                               const Limits& limits = {});
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// From now on takes connections from these. One that has come on other terms ends with the request in hand.
    void listen_on(std::vector<Listener> listeners);

    /// Takes no more connections, and no more requests from those that are there; what is being answered goes on.
    void wind_down();

    /// Takes no more connections, lets the requests in hand come to their end, and cuts those that do not in a few
    /// seconds. The listeners are given up when it returns. May be called again.
    void stop();

    /// Connections that there are.
    [[nodiscard]] std::size_t connections() const;

    /// Requests that are being answered.
    [[nodiscard]] std::size_t answering() const;

  private:
    Server(std::vector<Listener> listeners, Answering& answering, const Limits& limits)
        : answering_(answering), limits_(limits), listeners_(std::move(listeners)) {}

    [[nodiscard]] Result<void> open();

    void accept_connections();
    [[nodiscard]] bool accept_round();
    [[nodiscard]] bool accept_from(const Listener& listener);
    void end_expired();
    void take(Guest taken);
    [[nodiscard]] bool admit(Guest& taken);
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

    Answering& answering_;
    const Limits limits_;
    FileDescriptor wake_up_;  ///< of the thread that accepts
    FileDescriptor epoll_;    ///< what connections wait for; each event goes to one worker
    FileDescriptor at_end_;   ///< is in it, too: readable when the workers are to end

    mutable std::mutex mutex_;  ///< of all that follows, but for the acceptor itself
    std::condition_variable changed_;
    bool stopping_ = false;
    std::vector<Listener> listeners_;
    Guests guests_;
    Deadline next_look_ = Deadline::max();  ///< when the acceptor looks for those whose time is over
    std::vector<std::jthread> threads_;
    std::atomic<std::size_t> free_threads_ = 0;  ///< changed under the mutex

    std::jthread acceptor_;
};

}  // namespace headgate::http
