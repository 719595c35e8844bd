// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/server/server.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>

#include "http/host.h"
#include "http/problem.h"
#include "http/server/tcp_listener.h"
#include "threads/start_thread.h"

namespace headgate::http {
namespace {

constexpr std::chrono::seconds kGrace{2};

/// Pause of the acceptor when descriptors or memory run out.
constexpr int kPauseMilliseconds = 100;

/// New threads inherit a full signal mask: signals go to the main thread, and a broken pipe is an error of write(2).
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

/// Empty for Unix sockets and loopback.
std::string neighbourhood_at(int connection, const Terms& terms) {
    if (terms.admission == Admission::PeerCredentials) return {};
    const auto ends = ends_of(connection);
    return ends && !is_loopback(ends->peer) ? neighbourhood_of(ends->peer) : std::string{};
}

/// Timeout for poll(2), capped at INT_MAX.
int milliseconds_until(Deadline moment) {
    if (moment == Deadline::max()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(moment - std::chrono::steady_clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, INT_MAX));
}

void make_readable(const FileDescriptor& event) {
    const std::uint64_t one = 1;
    static_cast<void>(::write(event.get(), &one, sizeof one));
}

template <typename Work>
Result<std::jthread> start_server_thread(Work work) {
    const WithoutSignals inherited;
    return start_thread("the HTTP server", std::move(work), [](const Error&) {});
}

}  // namespace

Result<std::unique_ptr<Server>> Server::start(std::vector<Listener> listeners, RequestHandler& handler,
                                              const Limits& limits) {
    std::unique_ptr<Server> server{new Server{std::move(listeners), handler, limits}};
    RETURN_IF_ERROR(server->open());
    return server;
}

Result<void> Server::open() {
    wake_up_ = FileDescriptor{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    at_end_ = FileDescriptor{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    epoll_ = FileDescriptor{::epoll_create1(EPOLL_CLOEXEC)};
    if (!wake_up_.is_open() || !at_end_.is_open() || !epoll_.is_open()) return system_error(errno, "epoll");
    epoll_event at_end{EPOLLIN, {}};  // data 0, which is no guest's id
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, at_end_.get(), &at_end) != 0) return system_error(errno, "epoll");
    {
        const std::lock_guard lock{mutex_};
        threads_.reserve(limits_.threads);
        RETURN_IF_ERROR(start_worker());
    }
    ASSIGN_OR_RETURN(auto thread, start_server_thread([this] { accept_connections(); }));
    acceptor_ = std::move(thread);
    return {};
}

Server::~Server() {
    stop();
}

void Server::stop() {
    std::vector<Guest> gone;
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
        // Connections without a request are closed; responses in progress still get sent.
        gone = guests_.remove_without_request();
    }
    gone.clear();
    wake_acceptor();
    if (acceptor_.joinable()) acceptor_.join();
    listen_on({});
    {
        std::unique_lock lock{mutex_};
        const auto all_gone = [&] { return guests_.count() == 0; };
        if (!changed_.wait_for(lock, kGrace, all_gone)) {
            guests_.for_each([](const Guest& guest) { ::shutdown(guest.descriptor, SHUT_RDWR); });
            changed_.wait(lock, all_gone);
        }
    }
    make_readable(at_end_);
    threads_.clear();
}

void Server::listen_on(std::vector<Listener> listeners) {
    std::vector<Guest> gone;
    {
        const std::lock_guard lock{mutex_};
        listeners_.swap(listeners);
        guests_.for_each([&](Guest& guest) {
            if (std::ranges::find(listeners_, guest.terms, &Listener::terms) == listeners_.end()) guest.is_last = true;
        });
        gone = guests_.remove_idle_last();
    }
    wake_acceptor();
}

void Server::wind_down() {
    listen_on({});
}

void Server::wake_acceptor() const {
    make_readable(wake_up_);
}

std::size_t Server::connections() const {
    const std::lock_guard lock{mutex_};
    return guests_.count();
}

std::size_t Server::answering() const {
    const std::lock_guard lock{mutex_};
    return guests_.count_answering();
}

bool Server::is_stopping() const {
    const std::lock_guard lock{mutex_};
    return stopping_;
}

bool Server::is_last(Guests::Id id) const {
    const std::lock_guard lock{mutex_};
    return guests_.at(id).is_last;
}

void Server::begin_answer(Guests::Id id) {
    const std::lock_guard lock{mutex_};
    auto& guest = guests_.at(id);
    guest.rest.phase = Phase::Answering;
    guest.was_answered = true;
}

void Server::accept_connections() {
    for (bool goes_on = true; goes_on;) {
        const auto done = guarded([&]() -> Result<void> {
            goes_on = accept_round();
            return {};
        });
        if (done) continue;
        // Most likely out of memory, which other connections may release.
        pollfd asked{wake_up_.get(), POLLIN, 0};
        static_cast<void>(::poll(&asked, 1, kPauseMilliseconds));
    }
}

/// Waits for connections and accepts them. False: the server stops.
bool Server::accept_round() {
    std::vector<Listener> listeners;
    Deadline next_look;
    {
        const std::lock_guard lock{mutex_};
        if (stopping_) return false;
        listeners = listeners_;
        next_look = next_look_;
    }
    std::vector<pollfd> asked{{wake_up_.get(), POLLIN, 0}};
    for (const auto& each : listeners)
        asked.push_back({each.descriptor, POLLIN, 0});
    const int ready = ::poll(asked.data(), asked.size(), milliseconds_until(next_look));
    if (std::chrono::steady_clock::now() >= next_look) end_expired();
    if (ready <= 0) return true;
    if (asked[0].revents != 0) {
        std::uint64_t count = 0;
        static_cast<void>(::read(wake_up_.get(), &count, sizeof count));
        return true;
    }
    bool is_exhausted = false;
    for (std::size_t i = 0; i < listeners.size(); ++i)
        if (asked[i + 1].revents != 0 && !accept_from(listeners[i])) is_exhausted = true;
    if (is_exhausted) static_cast<void>(::poll(asked.data(), 1, kPauseMilliseconds));
    return true;
}

void Server::end_expired() {
    std::vector<Guest> gone;  // destroyed after the lock is released
    const std::lock_guard lock{mutex_};
    gone = guests_.remove_expired(std::chrono::steady_clock::now());
    next_look_ = guests_.next_expiry();
}

/// False where descriptors or memory ran out.
bool Server::accept_from(const Listener& listener) {
    FileDescriptor connection{::accept4(listener.descriptor, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (!connection.is_open()) return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
    Guest guest;
    guest.descriptor = connection.get();
    guest.neighbourhood = neighbourhood_at(connection.get(), listener.terms);
    guest.socket = std::move(connection);
    guest.terms = listener.terms;
    guest.arrived = guest.since = std::chrono::steady_clock::now();
    guest.rest = {Phase::Idle, POLLIN, guest.arrived + limits_.request};
    accept(std::move(guest));
    return true;
}

/// When there are too many, closes an idle or stalled connection instead, or else the new one.
void Server::accept(Guest guest) {
    std::optional<Guest> gone;
    {
        const std::lock_guard lock{mutex_};
        if (stopping_) return;
        const bool is_crowded =
            !guest.neighbourhood.empty() && guests_.count_from(guest.neighbourhood) >= limits_.of_one_peer;
        const bool is_full = guests_.count() >= limits_.threads + limits_.waiting;
        if (is_crowded || is_full) {
            gone = guests_.remove_to_make_room(is_crowded ? guest.neighbourhood : std::string{});
        }
        if (((is_crowded || is_full) && !gone) || !admit(guest)) gone = std::move(guest);
    }
    if (gone && !gone->was_answered) turn_away(*gone);
}

/// False: the kernel has no memory.
bool Server::admit(Guest& guest) {
    next_look_ = std::min(next_look_, guest.rest.until);
    const auto id = guests_.add(std::move(guest));
    if (wait_for(id, *guests_.find(id), EPOLL_CTL_ADD)) return true;
    guest = guests_.remove(id);
    return false;
}

void Server::turn_away(const Guest& guest) const {
    handler_.turned_away();
    if (guest.terms.tls) return;  // a TLS client could not read plain text
    const auto busy = problem(503, {ErrorKind::Busy, "too many connections at once"});
    const auto text =
        fmt::format("HTTP/1.1 503 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: Close\r\n\r\n{}",
                    reason_of(503), busy.content_type, busy.body.size(), busy.body);
    static_cast<void>(::send(guest.descriptor, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
}

/// Requires the lock. As long as the limit allows, one more thread waits for the next event.
Result<void> Server::start_worker() {
    if (threads_.size() >= limits_.threads) return {};
    ASSIGN_OR_RETURN(auto thread, start_server_thread([this] { work(); }));
    threads_.push_back(std::move(thread));
    ++free_threads_;
    return {};
}

void Server::work() {
    for (;;) {
        epoll_event event{};
        const int ready = ::epoll_wait(epoll_.get(), &event, 1, -1);
        if (ready < 0 && errno != EINTR) return;
        if (ready <= 0) continue;
        const Guests::Id id = event.data.u64;
        Guest* const guest = claim(id);
        if (guest != nullptr) {
            serve(id, *guest);
        } else if (id == 0) {
            return;
        }
    }
}

/// Null where the guest is gone or in use.
Guest* Server::claim(Guests::Id id) {
    const std::lock_guard lock{mutex_};
    auto* const guest = guests_.find(id);
    if (guest == nullptr || guest->is_at_work) return nullptr;
    guest->is_at_work = true;
    // Without another thread, existing ones serve the next event later.
    if (--free_threads_ == 0) static_cast<void>(start_worker());
    return guest;
}

void Server::serve(Guests::Id id, Guest& guest) {
    // After an exception, most likely for lack of memory, only this connection closes.
    const auto rest = guarded([&]() -> Result<std::optional<Rest>> { return advance(id, guest); });
    const auto gone = put_back(id, guest, rest.value_or(std::nullopt));
}

/// Nothing: the connection is over.
std::optional<Rest> Server::advance(Guests::Id id, Guest& guest) {
    if (!guest.connection) {
        auto accepted = set_up(guest.socket, guest.terms);
        if (!accepted) return std::nullopt;
        guest.connection = std::make_unique<Connection>(
            std::move(accepted->stream), std::move(accepted->peer),
            Service{handler_, limits_, [this] { return is_stopping(); }, [this, id] { return is_last(id); },
                    [this] { return free_threads_.load(std::memory_order_relaxed) != 0; },
                    [this, id] { begin_answer(id); }},
            guest.arrived);
    }
    return guest.is_expired ? guest.connection->expire() : guest.connection->advance();
}

/// Returns the connection to close, which the caller does without the lock: this one, or one that makes room.
std::optional<Guest> Server::put_back(Guests::Id id, Guest& guest, const std::optional<Rest>& rest) {
    const std::lock_guard lock{mutex_};
    ++free_threads_;
    const bool ends =
        !rest || (rest->phase != Phase::Answering && stopping_) || (rest->phase == Phase::Idle && guest.is_last);
    if (ends || !lay_down(id, guest, *rest)) {
        auto gone = guests_.remove(id);
        if (guests_.count() == 0) changed_.notify_all();
        return gone;
    }
    return guests_.held() > limits_.held ? guests_.remove_oldest_holder() : std::nullopt;
}

/// Registers what the connection waits for. False: the kernel has no memory.
bool Server::lay_down(Guests::Id id, Guest& guest, const Rest& rest) {
    guest.is_at_work = false;
    guests_.set_rest(guest, rest);
    if (rest.until < next_look_) {
        next_look_ = rest.until;
        wake_acceptor();
    }
    return wait_for(id, guest, EPOLL_CTL_MOD);
}

/// Each event is delivered once, to one worker.
bool Server::wait_for(Guests::Id id, const Guest& guest, int operation) const {
    epoll_event event{};
    event.events = (guest.rest.event == POLLOUT ? EPOLLOUT : EPOLLIN) | EPOLLONESHOT;
    event.data.u64 = id;
    return ::epoll_ctl(epoll_.get(), operation, guest.descriptor, &event) == 0;
}

}  // namespace headgate::http
