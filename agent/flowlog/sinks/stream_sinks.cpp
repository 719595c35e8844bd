// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/sinks/stream_sinks.h"

#include <limits.h>  // NOLINT(modernize-deprecated-headers): PIPE_BUF is POSIX's
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>

#include "flowlog/sinks/socket_address.h"

namespace headgate::flowlog {
namespace {

using std::chrono::steady_clock;

/// Bytes that are sent together.
constexpr std::size_t kPiece = 256 * 1024;

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

void append_line(std::string& out, std::string_view /*before*/, std::string_view line) {
    out.append(line).push_back('\n');
}

/// Does not block after poll(2) has reported the descriptor writable: a pipe then has room for PIPE_BUF bytes
/// (pipe(7)), and a longer write would block until its reader reads. O_NONBLOCK would affect every process that shares
/// the pipe. For a socket, MSG_DONTWAIT applies to a single call.
ssize_t write_some(int fd, std::string_view text) {
    const auto sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0 || errno != ENOTSOCK) return sent;
    return ::write(fd, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
}

}  // namespace

StreamBuffer::Sent StreamBuffer::send(int fd, const LineBlock& block, std::size_t first, const Framing& frame) {
    fill(block, first, frame);
    const int fault = write_all(fd);
    return {discard_sent(block, first), fault};
}

void StreamBuffer::fill(const LineBlock& block, std::size_t first, const Framing& frame) {
    const auto before = frame.before ? frame.before() : std::string{};
    const bool has_half = !text_.empty();
    const bool is_first = has_half && block.line(first) == half_;
    foreign_ = has_half && !is_first ? 1 : 0;
    for (auto next = first + (is_first ? 1 : 0); next < block.count() && text_.size() < kPiece; ++next) {
        frame.append(text_, before, block.line(next));
        ends_.push_back(text_.size());
    }
}

/// Returns 0 if everything was written, otherwise an errno.
int StreamBuffer::write_all(int fd) {
    const auto deadline = steady_clock::now() + kPatience;
    while (sent_ < text_.size()) {
        if (const int number = wait_until_writable(fd, deadline); number != 0) return number;
        const auto went = write_some(fd, std::string_view{text_}.substr(sent_));
        if (went >= 0) sent_ += static_cast<std::size_t>(went);
        if (went < 0 && errno != EAGAIN && errno != EINTR) return errno;
        if (steady_clock::now() >= deadline && sent_ < text_.size()) return ETIMEDOUT;
    }
    return 0;
}

/// Returns how many of the block's lines were sent completely. Those that were not sent at all are discarded, too.
std::size_t StreamBuffer::discard_sent(const LineBlock& block, std::size_t first) {
    const auto whole = static_cast<std::size_t>(std::ranges::upper_bound(ends_, sent_) - ends_.begin());
    const auto counted = whole - std::min(whole, foreign_);
    const auto begin = whole == 0 ? 0 : ends_[whole - 1];
    if (sent_ == begin) {
        restart();
        return counted;
    }
    if (whole >= foreign_) half_ = block.line(first + counted);
    text_ = text_.substr(begin, ends_[whole] - begin);
    ends_ = {text_.size()};
    sent_ -= begin;
    return counted;
}

void StreamBuffer::restart() noexcept {
    text_.clear();
    ends_.clear();
    sent_ = 0;
}

Result<Written> ConnectionSink::write(const LineBlock& block, std::size_t first) {
    if (is_connected_ && is_closed_by_reader()) close();
    if (const int number = connect(); number != 0) return to_.fault(number);
    const auto [lines, number] = buffer_.send(socket_.get(), block, first, frame_);
    const bool is_broken = number != 0 && number != ETIMEDOUT;
    if (is_broken) close();
    if (lines > 0 || number == 0) return Written{.lines = lines, .too_long = 0, .note = {}};
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

void ConnectionSink::close() {
    socket_ = FileDescriptor{};
    is_connected_ = false;
    buffer_.restart();
}

Result<Written> StandardOutputSink::write(const LineBlock& block, std::size_t first) {
    const auto [lines, number] = buffer_.send(fd_, block, first, {.before = {}, .append = append_line});
    if (lines > 0 || number == 0) return Written{.lines = lines, .too_long = 0, .note = {}};
    return fault(number);
}

}  // namespace headgate::flowlog
