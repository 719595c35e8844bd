#include "http/wire.h"

#include <Poco/Net/NetException.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace headgate::http {
namespace {

using std::chrono::milliseconds;

/// Poco counts the references of what stands behind a socket: the one place that hands it a pointer to own.
Poco::Net::StreamSocket adopt(FileDescriptor socket) {
    return Poco::Net::StreamSocket{new Poco::Net::StreamSocketImpl{socket.release()}};
}

tl::unexpected<Error> timed_out() {
    return tl::unexpected(Error{ErrorKind::Failed, "nothing came in time", ETIMEDOUT});
}

tl::unexpected<Error> cut_short() {
    return tl::unexpected(Error{ErrorKind::Failed, "the connection ended in the middle of a message", ECONNRESET});
}

/// Runs what may throw one of Poco's exceptions, of which none leaves this file.
template <typename Work>
auto guarded(const Work& work) -> decltype(work()) {
    try {
        return work();
    } catch (const Poco::TimeoutException&) {
        return timed_out();
    } catch (const Poco::Exception& thrown) {
        const int number = thrown.code() == 0 ? EIO : thrown.code();
        return tl::unexpected(Error{ErrorKind::Failed, "the connection is broken: " + thrown.displayText(), number});
    }
}

Poco::Timespan timespan(milliseconds time) {
    return Poco::Timespan{std::max<Poco::Timespan::TimeDiff>(time.count(), 1) * 1000};
}

milliseconds left_until(Deadline until) {
    return std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
}

}  // namespace

Wire::Wire(FileDescriptor socket) : socket_(adopt(std::move(socket))) {}

Result<bool> Wire::fill(Deadline until) {
    const auto left = left_until(until);
    if (left <= milliseconds{0}) return timed_out();
    return guarded([&]() -> Result<bool> {
        socket_.setReceiveTimeout(timespan(left));
        const int size = socket_.receiveBytes(buffer_.data(), static_cast<int>(buffer_.size()));
        first_ = 0;
        last_ = static_cast<std::size_t>(std::max(size, 0));
        return last_ != 0;
    });
}

bool Wire::wait_for_data(Deadline until) {
    if (first_ != last_) return true;
    const auto filled = fill(until);
    return filled && *filled;
}

Result<std::string> Wire::read_head(std::size_t at_most, Deadline until) {
    std::string head;
    for (;;) {
        auto line = read_line(at_most - head.size(), until);
        if (!line) return line;
        // An empty line before the first one is passed over (RFC 9112, section 2.2).
        if (line->empty() && head.empty()) continue;
        head += *line + "\r\n";
        if (line->empty()) return head;
        if (head.size() >= at_most) return tl::unexpected(Error{ErrorKind::Invalid, "header: too long", EMSGSIZE});
    }
}

Result<std::string> Wire::read_line(std::size_t at_most, Deadline until) {
    std::string line;
    while (line.size() <= at_most) {
        if (first_ == last_) {
            const auto filled = fill(until);
            if (!filled) return tl::unexpected(filled.error());
            if (!*filled) return cut_short();
        }
        const std::string_view there{buffer_.data() + first_, last_ - first_};
        const auto end = there.find('\n');
        line.append(there.substr(0, end));
        first_ += end == std::string_view::npos ? there.size() : end + 1;
        if (end == std::string_view::npos) continue;
        if (line.ends_with('\r')) line.pop_back();
        return line;
    }
    return tl::unexpected(Error{ErrorKind::Invalid, fmt::format("a line is longer than {} bytes", at_most), EMSGSIZE});
}

Result<std::string_view> Wire::read_some(std::size_t at_most, Deadline until) {
    if (first_ == last_) {
        if (const auto filled = fill(until); !filled) return tl::unexpected(filled.error());
    }
    const auto size = std::min(at_most, last_ - first_);
    const std::string_view bytes{buffer_.data() + first_, size};
    first_ += size;
    return bytes;
}

Result<void> Wire::write(std::string_view bytes, milliseconds patience) {
    return guarded([&]() -> Result<void> {
        socket_.setSendTimeout(timespan(patience));
        while (!bytes.empty()) {
            constexpr std::size_t kPiece = 256 * 1024;
            const auto piece = bytes.substr(0, kPiece);
            const int sent = socket_.sendBytes(piece.data(), static_cast<int>(piece.size()), MSG_NOSIGNAL);
            if (sent <= 0) return timed_out();
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return {};
    });
}

bool Wire::is_abandoned() const {
    pollfd asked{descriptor(), 0, 0};
    return ::poll(&asked, 1, 0) > 0 && (asked.revents & (POLLHUP | POLLERR)) != 0;
}

void Wire::finish(Deadline until) {
    ::shutdown(descriptor(), SHUT_WR);
    for (;;) {
        const auto bytes = read_some(buffer_.size(), until);
        if (!bytes || bytes->empty()) return;
    }
}

void Wire::cut() const {
    ::shutdown(descriptor(), SHUT_RDWR);
}

}  // namespace headgate::http
