#include "http/server/server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "http/problem.h"
#include "http/server/tcp_listener.h"

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

/// Empty for what comes from this machine.
std::string remote_address(int connection, const Terms& terms) {
    if (terms.admission == Admission::PeerCredentials) return {};
    const auto ends = ends_of(connection);
    return ends && !is_loopback(ends->peer) ? to_string(ends->peer) : std::string{};
}

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

Result<std::unique_ptr<Server>> Server::start(std::vector<Listener> listeners, Answering& answering,
                                              const Limits& limits) {
    FileDescriptor wake_up{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (!wake_up.is_open()) return system_error(errno, "eventfd");
    std::unique_ptr<Server> server{new Server{std::move(listeners), answering, limits, std::move(wake_up)}};
    auto thread = start_thread([self = server.get()] { self->accept_connections(); });
    if (!thread) return tl::unexpected(std::move(thread.error()));
    server->acceptor_ = std::move(*thread);
    return server;
}

Server::~Server() {
    stop();
}

void Server::stop() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
        waiting_.clear();
        // Who waits for a request sees the end of the connection; an answer in hand still gets out.
        for (const auto& [connection, serving] : serving_)
            ::shutdown(connection, SHUT_RD);
    }
    wake_acceptor();
    if (acceptor_.joinable()) acceptor_.join();
    listen_on({});
    changed_.notify_all();
    {
        std::unique_lock lock{mutex_};
        changed_.wait_for(lock, kGrace, [&] { return serving_.empty(); });
        for (const auto& [connection, serving] : serving_)
            ::shutdown(connection, SHUT_RDWR);
    }
    for (auto& thread : std::exchange(threads_, {}))
        thread.join();
}

void Server::listen_on(std::vector<Listener> listeners) {
    {
        const std::lock_guard lock{mutex_};
        listeners_.swap(listeners);
        for (auto& [connection, serving] : serving_) {
            const bool goes_on = std::ranges::find(listeners_, serving.terms, &Listener::terms) != listeners_.end();
            if (!goes_on) end_after_request(connection, serving);
        }
    }
    wake_acceptor();
}

void Server::wind_down() {
    listen_on({});
    const std::lock_guard lock{mutex_};
    waiting_.clear();
}

/// One that asks for nothing ends at once.
void Server::end_after_request(int connection, Serving& serving) {
    serving.is_last = true;
    if (serving.phase == Phase::Idle) ::shutdown(connection, SHUT_RD);
}

void Server::wake_acceptor() const {
    const std::uint64_t one = 1;
    static_cast<void>(::write(wake_up_.get(), &one, sizeof one));
}

std::size_t Server::connections() const {
    const std::lock_guard lock{mutex_};
    return serving_.size() + waiting_.size();
}

std::size_t Server::answering() const {
    const std::lock_guard lock{mutex_};
    return static_cast<std::size_t>(
        std::ranges::count(serving_, Phase::Answering, [](const auto& each) { return each.second.phase; }));
}

bool Server::is_stopping() const {
    const std::lock_guard lock{mutex_};
    return stopping_;
}

void Server::accept_connections() {
    for (;;) {
        std::vector<Listener> listeners;
        {
            const std::lock_guard lock{mutex_};
            if (stopping_) return;
            listeners = listeners_;
        }
        std::vector<pollfd> asked{{wake_up_.get(), POLLIN, 0}};
        for (const auto& each : listeners)
            asked.push_back({each.descriptor, POLLIN, 0});
        if (::poll(asked.data(), asked.size(), -1) <= 0) continue;
        if (asked[0].revents != 0) {
            std::uint64_t count = 0;
            static_cast<void>(::read(wake_up_.get(), &count, sizeof count));
            continue;
        }
        bool is_exhausted = false;
        for (std::size_t i = 0; i < listeners.size(); ++i)
            if (asked[i + 1].revents != 0 && !accept_from(listeners[i])) is_exhausted = true;
        if (is_exhausted) static_cast<void>(::poll(asked.data(), 1, kPauseMilliseconds));
    }
}

/// False where there are no descriptors or no memory for another connection.
bool Server::accept_from(const Listener& listener) {
    FileDescriptor connection{::accept4(listener.descriptor, nullptr, nullptr, SOCK_CLOEXEC)};
    if (!connection.is_open()) return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
    auto peer = remote_address(connection.get(), listener.terms);
    take({std::move(connection), listener.terms, std::move(peer)});
    return true;
}

void Server::take(Waiting taken) {
    const std::lock_guard lock{mutex_};
    if (stopping_) return;
    if (waiting_.size() >= limits_.waiting || is_crowded(taken.peer)) return turn_away(taken);
    if (free_threads_ <= waiting_.size() && threads_.size() < limits_.threads) {
        auto thread = start_thread([this] { work(); });
        if (!thread && threads_.empty()) return turn_away(taken);
        if (thread) threads_.push_back(std::move(*thread));
    }
    waiting_.push_back(std::move(taken));
    changed_.notify_one();
    if (threads_.size() == limits_.threads && free_threads_ < waiting_.size()) close_longest_idle();
}

/// Whether one address has its share of all connections.
bool Server::is_crowded(const std::string& peer) const {
    if (peer.empty()) return false;
    const auto serving = std::ranges::count(serving_, peer, [](const auto& each) { return each.second.peer; });
    const auto waiting = std::ranges::count(waiting_, peer, &Waiting::peer);
    return static_cast<std::size_t>(serving + waiting) >= limits_.of_one_peer;
}

void Server::turn_away(const Waiting& taken) {
    answering_.turned_away();
    if (taken.terms.tls) return;  // a text in the clear is none to who speaks TLS
    const auto busy = problem(503, "too many connections at once", EBUSY);
    const auto text =
        fmt::format("HTTP/1.1 503 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: Close\r\n\r\n{}",
                    reason_of(503), busy.content_type, busy.body.size(), busy.body);
    static_cast<void>(::send(taken.connection.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
}

void Server::work() {
    std::unique_lock lock{mutex_};
    for (;;) {
        ++free_threads_;
        changed_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
        --free_threads_;
        if (stopping_) return;
        auto taken = std::move(waiting_.front());
        waiting_.pop_front();
        serving_[taken.connection.get()] = {taken.terms, taken.peer, Phase::Arriving, {}, false};
        lock.unlock();
        serve_connection(std::move(taken));
        lock.lock();
        changed_.notify_all();
    }
}

void Server::serve_connection(Waiting taken) {
    const int descriptor = taken.connection.get();
    Service service{answering_, limits_, [this] { return is_stopping(); },
                    [this, descriptor] { return is_last(descriptor); },
                    [this, descriptor](Phase phase) { enter(descriptor, phase); }};
    const auto forget = [&](void*) {
        // Before the descriptor is closed, and belongs to somebody else.
        const std::lock_guard lock{mutex_};
        serving_.erase(descriptor);
    };
    try {
        Result<Accepted> accepted;
        const std::unique_ptr<void, decltype(forget)> at_end{this, forget};
        accepted = take_up(taken.connection, taken.terms);
        if (accepted) serve(*accepted->wire, accepted->peer, service);
    } catch (const std::exception&) {
        // No memory, most likely: this connection is over, the others go on.
    }
}

void Server::enter(int connection, Phase phase) {
    const std::lock_guard lock{mutex_};
    auto& serving = serving_.at(connection);
    serving.phase = phase;
    serving.since = std::chrono::steady_clock::now();
    if (phase == Phase::Idle && (stopping_ || serving.is_last)) ::shutdown(connection, SHUT_RD);
}

bool Server::is_last(int connection) const {
    const std::lock_guard lock{mutex_};
    return serving_.at(connection).is_last || (!waiting_.empty() && free_threads_ == 0);
}

/// Somebody waits for a thread, and one is kept by a client that asks for nothing.
void Server::close_longest_idle() {
    const auto age = [](const auto& each) {
        const auto& serving = each.second;
        return serving.phase == Phase::Idle && !serving.is_last ? serving.since
                                                                : std::chrono::steady_clock::time_point::max();
    };
    const auto longest = std::ranges::min_element(serving_, {}, age);
    if (longest == serving_.end() || longest->second.phase != Phase::Idle) return;
    end_after_request(longest->first, longest->second);
}

}  // namespace headgate::http
