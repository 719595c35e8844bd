#include "http/server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "http/problem.h"

namespace headgate::http {
namespace {

constexpr std::chrono::seconds kGrace{2};

/// While there are no descriptors or no memory for another connection.
constexpr int kPauseMilliseconds = 100;

/// Signals are for the thread that waits for them, and a pipe that breaks is an error of the write.
class WithoutSignals {
  public:
    WithoutSignals() {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~WithoutSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    WithoutSignals(const WithoutSignals&) = delete;
    WithoutSignals& operator=(const WithoutSignals&) = delete;

  private:
    sigset_t before_{};
};

template <typename Work>
Result<std::thread> start_thread(Work work) {
    const WithoutSignals inherited;
    try {
        return std::thread{std::move(work)};
    } catch (const std::system_error& thrown) {
        return system_error(thrown.code().value(), "a thread of the HTTP server");
    }
}

}  // namespace

Result<std::unique_ptr<Server>> Server::start(UnixListener listener, Answering answer, const Limits& limits) {
    FileDescriptor wake_up{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (!wake_up.is_open()) return system_error(errno, "eventfd");
    std::unique_ptr<Server> server{new Server{std::move(listener), std::move(answer), limits, std::move(wake_up)}};
    auto thread = start_thread([self = server.get()] { self->accept_connections(); });
    if (!thread) return tl::unexpected(std::move(thread.error()));
    server->acceptor_ = std::move(*thread);
    return server;
}

Server::Server(UnixListener listener, Answering answer, const Limits& limits, FileDescriptor wake_up)
    : answer_(std::move(answer)), limits_(limits), wake_up_(std::move(wake_up)), listener_(std::move(listener)) {}

Server::~Server() {
    stop();
}

void Server::stop() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
        waiting_.clear();
        // Who waits for a request sees the end of the connection; an answer in hand still gets out.
        for (const auto& [connection, idle] : serving_)
            ::shutdown(connection, SHUT_RD);
    }
    const std::uint64_t one = 1;
    static_cast<void>(::write(wake_up_.get(), &one, sizeof one));
    if (acceptor_.joinable()) acceptor_.join();
    listener_.reset();
    changed_.notify_all();
    {
        std::unique_lock lock{mutex_};
        changed_.wait_for(lock, kGrace, [&] { return serving_.empty(); });
        for (const auto& [connection, idle] : serving_)
            ::shutdown(connection, SHUT_RDWR);
    }
    for (auto& thread : std::exchange(threads_, {}))
        thread.join();
}

std::size_t Server::connections() const {
    const std::lock_guard lock{mutex_};
    return serving_.size() + waiting_.size();
}

bool Server::is_stopping() const {
    const std::lock_guard lock{mutex_};
    return stopping_;
}

void Server::accept_connections() {
    while (wait_for_connection()) {
        FileDescriptor connection{::accept4(listener_->descriptor(), nullptr, nullptr, SOCK_CLOEXEC)};
        if (connection.is_open()) {
            take(std::move(connection));
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pollfd stop{wake_up_.get(), POLLIN, 0};
            static_cast<void>(::poll(&stop, 1, kPauseMilliseconds));
        }
    }
}

/// False when the server stops.
bool Server::wait_for_connection() const {
    std::array<pollfd, 2> asked{{{listener_->descriptor(), POLLIN, 0}, {wake_up_.get(), POLLIN, 0}}};
    while (::poll(asked.data(), asked.size(), -1) < 0 && errno == EINTR) {
    }
    return !is_stopping();
}

void Server::take(FileDescriptor connection) {
    const std::lock_guard lock{mutex_};
    if (stopping_) return;
    if (waiting_.size() >= limits_.waiting) return turn_away(connection);
    if (free_threads_ <= waiting_.size() && threads_.size() < limits_.threads) {
        auto thread = start_thread([this] { work(); });
        if (!thread && threads_.empty()) return turn_away(connection);
        if (thread) threads_.push_back(std::move(*thread));
    }
    waiting_.push_back(std::move(connection));
    changed_.notify_one();
    if (threads_.size() == limits_.threads && free_threads_ < waiting_.size()) close_an_idle_one();
}

void Server::turn_away(const FileDescriptor& connection) {
    const auto busy = problem(503, "too many connections at once", EBUSY);
    const auto text =
        fmt::format("HTTP/1.1 503 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: Close\r\n\r\n{}",
                    reason_of(503), busy.content_type, busy.body.size(), busy.body);
    static_cast<void>(::send(connection.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
}

void Server::work() {
    std::unique_lock lock{mutex_};
    for (;;) {
        ++free_threads_;
        changed_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
        --free_threads_;
        if (stopping_) return;
        auto connection = std::move(waiting_.front());
        waiting_.pop_front();
        const int descriptor = connection.get();
        serving_[descriptor] = false;
        lock.unlock();
        serve_connection(std::move(connection));
        lock.lock();
        changed_.notify_all();
    }
}

void Server::serve_connection(FileDescriptor connection) {
    const int descriptor = connection.get();
    Service service;
    service.answer = answer_;
    service.limits = limits_;
    service.is_stopping = [this] { return is_stopping(); };
    service.is_wanted = [this] {
        const std::lock_guard lock{mutex_};
        return !waiting_.empty() && free_threads_ == 0;
    };
    service.idles = [&](bool idle) { set_idle(descriptor, idle); };
    const auto forget = [&](void*) {
        // Before the descriptor is closed, and belongs to somebody else.
        const std::lock_guard lock{mutex_};
        serving_.erase(descriptor);
    };
    try {
        Wire wire{std::move(connection)};
        const std::unique_ptr<void, decltype(forget)> at_end{this, forget};
        if (const auto peer = peer_of(descriptor)) serve(wire, *peer, service);
    } catch (const std::exception&) {
        // No memory, most likely: this connection is over, the others go on.
    }
}

void Server::set_idle(int connection, bool idle) {
    const std::lock_guard lock{mutex_};
    serving_[connection] = idle;
    if (idle && stopping_) ::shutdown(connection, SHUT_RD);
}

/// Somebody waits for a thread, and one is kept by a client that asks for nothing.
void Server::close_an_idle_one() {
    const auto idle = std::ranges::find_if(serving_, [](const auto& each) { return each.second; });
    if (idle == serving_.end()) return;
    ::shutdown(idle->first, SHUT_RD);
    idle->second = false;
}

}  // namespace headgate::http
