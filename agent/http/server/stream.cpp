// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/server/stream.h"

#include <Poco/Net/NetException.h>
#include <Poco/Net/SecureStreamSocket.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <Poco/Net/X509Certificate.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

namespace headgate::http {
namespace {

using std::chrono::milliseconds;

using Poco::Net::SecureStreamSocket;
using Poco::Net::StreamSocketImpl;

/// Poco reference-counts socket implementations and owns the pointer. The socket is non-blocking and waits are our own
/// polls with a deadline: Poco would restart its timeout with each byte of a TLS record.
Poco::Net::StreamSocket adopt(FileDescriptor socket) {
    Poco::Net::StreamSocket plain{new StreamSocketImpl{socket.release()}};
    plain.setBlocking(false);
    return plain;
}

Poco::Net::StreamSocket adopt(FileDescriptor socket, const TlsServer& tls) {
    return SecureStreamSocket::attach(adopt(std::move(socket)), tls.context());
}

constexpr std::size_t kMostParts = 4;              ///< in one system call
constexpr std::size_t kMostForTls = 256UL * 1024;  ///< at once

tl::unexpected<Error> timed_out() {
    return make_error(ErrorKind::TimedOut, "nothing came in time");
}

tl::unexpected<Error> cut_short() {
    return make_error(ErrorKind::Disconnected, "the connection ended in the middle of a message");
}

/// Runs code that may throw Poco's exceptions, none of which leave this file.
template <typename Work>
auto guarded(const Work& work) -> decltype(work()) {
    try {
        return work();
    } catch (const Poco::TimeoutException&) {
        return tl::unexpected(Error{ErrorKind::Failed, "not just now", EAGAIN});  // sockets here have no timeout
    } catch (const Poco::Exception& thrown) {
        const int number = thrown.code() == 0 ? EIO : thrown.code();
        return tl::unexpected(
            Error{kind_of_errno(number), "the connection is broken: " + thrown.displayText(), number});
    }
}

/// Performs one transfer system call; `event`: what to wait for on EAGAIN.
template <typename Call>
Result<Moved> moved(short event, const Call& call) {
    for (;;) {
        const auto size = call();
        if (size >= 0) return Moved{static_cast<std::size_t>(size), 0};
        if (errno == EAGAIN || errno == EWOULDBLOCK) return Moved{0, event};
        if (errno != EINTR) return system_error(errno, "the connection is broken");
    }
}

/// Likewise over TLS, which may have to send before it can receive, and vice versa.
template <typename Call>
Result<Moved> moved_by_tls(short event, const Call& call) {
    // An error that another connection left in the queue would be reported for this one (SSL_get_error(3)).
    ::ERR_clear_error();
    auto moved = guarded([&]() -> Result<Moved> {
        const int size = call();
        if (size >= 0) return Moved{static_cast<std::size_t>(size), 0};
        return Moved{0, size == SecureStreamSocket::ERR_SSL_WANT_WRITE ? short{POLLOUT} : short{POLLIN}};
    });
    const bool is_later = !moved && (moved.error().number == EAGAIN || moved.error().number == EINTR);
    return is_later ? Result<Moved>{Moved{0, event}} : moved;
}

/// Waits for the event or an error. False: timeout.
bool is_ready(int descriptor, short event, Deadline until) {
    for (;;) {
        const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
        if (left <= milliseconds{0}) return false;
        pollfd asked{descriptor, event, 0};
        const int ready = ::poll(&asked, 1, static_cast<int>(std::min<std::int64_t>(left.count(), INT_MAX)));
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return false;
    }
}

}  // namespace

Stream::Stream(FileDescriptor socket) : socket_(adopt(std::move(socket))) {}

Stream::Stream(FileDescriptor socket, const TlsServer& tls) : socket_(adopt(std::move(socket), tls)) {}

Result<Moved> Stream::receive(std::span<char> into) {
    if (!socket_.secure()) return moved(POLLIN, [&] { return ::recv(descriptor(), into.data(), into.size(), 0); });
    return moved_by_tls(POLLIN, [&] { return socket_.receiveBytes(into.data(), static_cast<int>(into.size())); });
}

Result<Moved> Stream::send(std::span<const std::string_view> parts) {
    if (socket_.secure()) {
        const auto bytes = parts.front().substr(0, kMostForTls);
        return moved_by_tls(POLLOUT, [&] { return socket_.sendBytes(bytes.data(), static_cast<int>(bytes.size())); });
    }
    std::array<iovec, kMostParts> places{};
    msghdr message{};
    message.msg_iov = places.data();
    message.msg_iovlen = std::min(parts.size(), kMostParts);
    for (std::size_t i = 0; i < message.msg_iovlen; ++i)
        places[i] = {const_cast<char*>(parts[i].data()), parts[i].size()};  // NOLINT(*-const-cast): iovec(3type)
    return moved(POLLOUT, [&] { return ::sendmsg(descriptor(), &message, MSG_NOSIGNAL); });
}

/// Repeats the attempt until bytes are transferred.
template <typename Attempt>
Result<std::size_t> Stream::transfer(Deadline until, const Attempt& attempt) {
    for (;;) {
        const Result<Moved> moved = attempt();
        if (!moved) return tl::unexpected(moved.error());
        if (moved->wait_for == 0) return moved->bytes;
        if (!is_ready(descriptor(), moved->wait_for, until)) return timed_out();
    }
}

Result<bool> Stream::fill(Deadline until) {
    constexpr std::size_t kReadAhead = 32UL * 1024;
    buffer_.resize(kReadAhead);
    ASSIGN_OR_RETURN(const auto size, transfer(until, [&] { return receive(buffer_); }));
    first_ = 0;
    last_ = size;
    return last_ != 0;
}

bool Stream::wait_readable(Deadline until) const {
    return is_ready(descriptor(), POLLIN, until);
}

bool Stream::wait_for_data(Deadline until) {
    if (first_ != last_) return true;
    const auto filled = fill(until);
    return filled && *filled;
}

Result<std::string> Stream::read_head(std::size_t at_most, Deadline until) {
    std::string head;
    for (;;) {
        ASSIGN_OR_RETURN(auto line, read_line(at_most - head.size(), until));
        // An empty line before the request line is ignored (RFC 9112, section 2.2).
        if (line.empty() && head.empty()) continue;
        head += line + "\r\n";
        if (line.empty()) return head;
        if (head.size() >= at_most) return make_error(ErrorKind::TooLarge, "header: too long");
    }
}

Result<std::string> Stream::read_line(std::size_t at_most, Deadline until) {
    std::string line;
    while (line.size() <= at_most) {
        if (first_ == last_) {
            ASSIGN_OR_RETURN(const auto filled, fill(until));
            if (!filled) return cut_short();
        }
        const std::string_view there{buffer_.data() + first_, last_ - first_};
        const auto end = there.find('\n');
        line.append(there.substr(0, end));
        first_ += end == std::string_view::npos ? there.size() : end + 1;
        if (end == std::string_view::npos) continue;
        if (line.ends_with('\r')) line.pop_back();
        return line;
    }
    return make_error(ErrorKind::TooLarge, "a line is longer than {} bytes", at_most);
}

Result<std::string_view> Stream::read_some(std::size_t at_most, Deadline until) {
    if (first_ == last_) {
        RETURN_IF_ERROR(fill(until));
    }
    const auto size = std::min(at_most, last_ - first_);
    const std::string_view bytes{buffer_.data() + first_, size};
    first_ += size;
    return bytes;
}

Result<void> Stream::write(std::string_view bytes, milliseconds patience) {
    while (!bytes.empty()) {
        ASSIGN_OR_RETURN(const auto sent, transfer(in(patience), [&] { return send_bytes(bytes); }));
        bytes.remove_prefix(sent);
    }
    return {};
}

Result<void> Stream::write(std::span<const std::string_view> parts, milliseconds patience) {
    if (socket_.secure()) {
        std::string joined;
        for (const auto part : parts)
            joined.append(part);
        return write(joined, patience);
    }
    std::vector<std::string_view> places{parts.begin(), parts.end()};
    for (std::span rest{places}; !rest.empty();) {
        ASSIGN_OR_RETURN(auto sent, transfer(in(patience), [&] { return send(rest); }));
        while (!rest.empty() && sent >= rest.front().size()) {
            sent -= rest.front().size();
            rest = rest.subspan(1);
        }
        if (!rest.empty()) rest.front().remove_prefix(sent);
    }
    return {};
}

bool Stream::is_abandoned() const {
    pollfd asked{descriptor(), 0, 0};
    return ::poll(&asked, 1, 0) > 0 && (asked.revents & (POLLHUP | POLLERR)) != 0;
}

void Stream::end_sending() {
    end();
    ::shutdown(descriptor(), SHUT_WR);
}

std::string Stream::certificate_name() const {
    if (!socket_.secure()) return {};
    const auto name = guarded([&]() -> Result<std::string> {
        const SecureStreamSocket secure{socket_};
        return secure.havePeerCertificate() ? common_name_of(secure.peerCertificate().certificate()) : std::string{};
    });
    return name.value_or(std::string{});
}

void Stream::end() {
    if (!socket_.secure()) return;
    // The peer may be gone, so errors are ignored.
    static_cast<void>(guarded([&]() -> Result<void> {
        socket_.shutdown();
        return {};
    }));
}

}  // namespace headgate::http
