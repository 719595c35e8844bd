// The agent's HTTP server: takes connections and serves each on a thread, of which there are as many as are needed and
// a bounded number. When nobody asks, nothing runs: no thread wakes up by itself.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "headgate/result.h"

#include "files/file_descriptor.h"
#include "http/server/connection.h"
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

    /// Connections that are served or wait for it.
    [[nodiscard]] std::size_t connections() const;

    /// Requests that are being answered.
    [[nodiscard]] std::size_t answering() const;

  private:
    Server(std::vector<Listener> listeners, Answering& answering, const Limits& limits, FileDescriptor wake_up)
        : answering_(answering), limits_(limits), wake_up_(std::move(wake_up)), listeners_(std::move(listeners)) {}

    struct Waiting {
        FileDescriptor connection;
        Terms terms;
        std::string peer;  ///< its address; empty where it is on this machine
    };
    struct Serving {
        Terms terms;
        std::string peer;
        Phase phase = Phase::Arriving;
        std::chrono::steady_clock::time_point since;  ///< of this phase
        bool is_last = false;                         ///< no more requests are taken from it
    };

    void accept_connections();
    [[nodiscard]] bool accept_from(const Listener& listener);
    void wake_acceptor() const;
    void take(Waiting taken);
    void turn_away(const Waiting& taken);
    [[nodiscard]] bool is_crowded(const std::string& peer) const;
    void work();
    void serve_connection(Waiting taken);
    void enter(int connection, Phase phase);
    [[nodiscard]] bool is_last(int connection) const;
    void close_longest_idle();
    static void end_after_request(int connection, Serving& serving);
    [[nodiscard]] bool is_stopping() const;

    Answering& answering_;
    const Limits limits_;
    FileDescriptor wake_up_;  ///< of the thread that accepts

    mutable std::mutex mutex_;  ///< of all that follows, but for the acceptor itself
    std::condition_variable changed_;
    bool stopping_ = false;
    std::vector<Listener> listeners_;
    std::deque<Waiting> waiting_;
    std::map<int, Serving> serving_;  ///< by descriptor
    std::size_t free_threads_ = 0;
    std::vector<std::thread> threads_;

    std::thread acceptor_;
};

}  // namespace headgate::http
