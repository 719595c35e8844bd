// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/sinks/datagram_sink.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <utility>

#include "flowlog/sinks/socket_address.h"

namespace headgate::flowlog {
namespace {

/// Datagrams per system call.
constexpr std::size_t kTogether = 64;

constexpr std::size_t kParts = 3;

iovec part_of(std::string_view text) {
    return {.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};  // NOLINT(*-const-cast): iovec(3type)
}

/// The arguments of sendmmsg(2).
class Datagrams {
  public:
    Datagrams(const LineBlock& block, std::size_t first, std::string_view before, std::string_view after)
        : count_(std::min(block.count() - first, kTogether)) {
        for (std::size_t i = 0; i < count_; ++i) {
            auto& parts = parts_[i];
            parts = {part_of(before), part_of(block.line(first + i)), part_of(after)};
            messages_[i].msg_hdr.msg_iov = parts.data();
            messages_[i].msg_hdr.msg_iovlen = parts.size();
        }
    }

    /// The number of datagrams sent, or -1 with errno.
    [[nodiscard]] int send(int socket) noexcept {
        return ::sendmmsg(socket, messages_.data(), static_cast<unsigned>(count_), MSG_NOSIGNAL);
    }

  private:
    std::size_t count_;
    std::array<std::array<iovec, kParts>, kTogether> parts_{};
    std::array<mmsghdr, kTogether> messages_{};
};

/// One field per line: a record contains no newline, so no field needs an explicit length. The journal adds the process
/// and the unit itself. Facility 3 is `daemon`, as in syslog.
std::string fields_before_record() {
    return "PRIORITY=6\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=headgate\nMESSAGE=";
}

}  // namespace

Result<Written> DatagramSink::write(const LineBlock& block, std::size_t first) {
    RETURN_IF_ERROR(connect());
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    const auto before = envelope_.before ? envelope_.before() : std::string{};
    Datagrams datagrams{block, first, before, envelope_.after};
    for (;;) {
        const int sent = datagrams.send(socket_.get());
        if (sent > 0) return Written{.lines = static_cast<std::size_t>(sent), .too_long = 0, .note = {}};
        int number = errno;
        if (number == EMSGSIZE) return Written{.lines = 0, .too_long = 1, .note = {}};
        if (number == EINTR) continue;
        if (number == EAGAIN) number = wait_until_writable(socket_.get(), deadline);
        if (number == 0) continue;
        if (number == ETIMEDOUT) return fault(number);
        socket_ = FileDescriptor{};
        return to_.fault(number);
    }
}

Result<void> DatagramSink::connect() {
    if (socket_.is_open()) return {};
    auto made = to_.connect(SOCK_DGRAM);
    if (made.fault != 0) return to_.fault(made.fault);
    socket_ = std::move(made.socket);
    return {};
}

std::unique_ptr<Sink> make_journald_sink(const std::filesystem::path& socket) {
    return std::make_unique<DatagramSink>(SocketAddress{socket},
                                          Envelope{.before = fields_before_record, .after = "\n"});
}

}  // namespace headgate::flowlog
