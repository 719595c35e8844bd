// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/sinks/connection_sink.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>

#include "flowlog/sinks/fault.h"
#include "flowlog/sinks/waiting.h"

namespace headgate::flowlog {
namespace {

using std::chrono::steady_clock;

/// Covers retransmissions of a lost SYN: after 1 s, then after 2 s and 4 s more (RFC 6298, section 2).
constexpr std::chrono::seconds kToConnect{10};

/// Milliseconds without an acknowledgement after which the peer is considered gone (tcp(7), TCP_USER_TIMEOUT).
constexpr unsigned kSilence = 30'000;

void notice_silence(int socket) {
    constexpr int kOn = 1;
    // On Unix sockets these options fail or have no effect; errors are ignored.
    ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &kOn, sizeof kOn);
    ::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &kSilence, sizeof kSilence);
}

}  // namespace

Result<Written> ConnectionSink::write(const LineBlock& block, std::size_t first) {
    if (is_connected_ && is_closed_by_reader()) close();
    if (const int number = connect(); number != 0) return to_.fault(number);
    buffer_.begin(block, first, frame_);
    const int number = send();
    const auto went = buffer_.finish(block, first);
    const bool is_broken = number != 0 && number != ETIMEDOUT;
    if (is_broken) close();
    if (went > 0 || number == 0) return Written{.lines = went, .too_long = 0, .note = {}};
    return is_broken ? to_.fault(number) : fault(number);
}

int ConnectionSink::connect() {
    if (is_connected_) return 0;
    if (!socket_.is_open()) {
        if (const int number = begin_to_connect(); number != 0) return number;
    }
    return is_connected_ ? 0 : wait_for_connection();
}

int ConnectionSink::begin_to_connect() {
    auto made = to_.connect(SOCK_STREAM);
    if (made.fault != 0 && made.fault != EINPROGRESS) return made.fault;
    buffer_.restart();
    socket_ = std::move(made.socket);
    is_connected_ = made.fault == 0;
    connecting_since_ = steady_clock::now();
    notice_silence(socket_.get());
    return 0;
}

/// If connecting takes longer than one call may block, the next call continues.
int ConnectionSink::wait_for_connection() {
    int number = wait_until_writable(socket_.get(), steady_clock::now() + kPatience);
    if (number == ETIMEDOUT) {
        if (steady_clock::now() - connecting_since_ > kToConnect) close();
        return number;
    }
    socklen_t size = sizeof number;
    if (number == 0) ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &number, &size);
    if (number != 0) close();
    is_connected_ = number == 0;
    return number;
}

/// The first send after the peer has closed succeeds and its data is lost, so this is checked before sending.
bool ConnectionSink::is_closed_by_reader() const {
    std::array<char, 4096> ignored{};
    const auto got = ::recv(socket_.get(), ignored.data(), ignored.size(), MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

/// Returns 0 if everything was sent, otherwise an errno.
int ConnectionSink::send() {
    const auto deadline = steady_clock::now() + kPatience;
    while (!buffer_.unsent().empty()) {
        const auto unsent = buffer_.unsent();
        const auto went = ::send(socket_.get(), unsent.data(), unsent.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (went >= 0) {
            buffer_.sent(static_cast<std::size_t>(went));
        } else if (errno == EAGAIN) {
            if (const int number = wait_until_writable(socket_.get(), deadline); number != 0) return number;
        } else if (errno != EINTR) {
            return errno;
        }
        if (steady_clock::now() >= deadline && !buffer_.unsent().empty()) return ETIMEDOUT;
    }
    return 0;
}

void ConnectionSink::close() {
    socket_ = FileDescriptor{};
    is_connected_ = false;
    buffer_.restart();
}

}  // namespace headgate::flowlog
