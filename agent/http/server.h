// The agent's HTTP server: takes connections and serves each on a thread, of which there are as many as are needed and
// a bounded number. When nobody asks, nothing runs: no thread wakes up by itself.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "headgate/result.h"

#include "flow/file_descriptor.h"
#include "http/connection.h"
#include "http/unix_listener.h"

namespace headgate::http {

class Server {
  public:
    using Answering = std::function<Answer(Request)>;

    /// Begins to listen on it, however it came about: UnixListener::open() or adopt().
    [[nodiscard]] static Result<std::unique_ptr<Server>> start(UnixListener listener, Answering answer,
                                                               const Limits& limits = {});
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Takes no more connections, lets the requests in hand come to their end, and cuts those that do not in a few
    /// seconds. The socket's file is gone when it returns. May be called again.
    void stop();

    /// Connections that are served or wait for it.
    [[nodiscard]] std::size_t connections() const;

  private:
    Server(UnixListener listener, Answering answer, const Limits& limits, FileDescriptor wake_up);

    void accept_connections();
    [[nodiscard]] bool wait_for_connection() const;
    void take(FileDescriptor connection);
    static void turn_away(const FileDescriptor& connection);
    void work();
    void serve_connection(FileDescriptor connection);
    void set_idle(int connection, bool idle);
    void close_an_idle_one();
    [[nodiscard]] bool is_stopping() const;

    Answering answer_;
    const Limits limits_;
    FileDescriptor wake_up_;  ///< of the thread that accepts

    mutable std::mutex mutex_;  ///< of all that follows, but for what `acceptor_` alone uses
    std::condition_variable changed_;
    bool stopping_ = false;
    std::deque<FileDescriptor> waiting_;
    std::map<int, bool> serving_;  ///< by descriptor: whether it waits for a request
    std::size_t free_threads_ = 0;
    std::vector<std::thread> threads_;

    std::optional<UnixListener> listener_;
    std::thread acceptor_;
};

}  // namespace headgate::http
