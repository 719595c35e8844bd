// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/sinks/socket_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace headgate::flowlog {
namespace {

constexpr int kRoom = 4 << 20;

}  // namespace

SocketAddress::SocketAddress(const Address& address, std::uint16_t port)
    : text_(address.family == Family::Ipv4 ? fmt::format("{}:{}", to_string(address), port)
                                           : fmt::format("[{}]:{}", to_string(address), port)) {
    if (address.family == Family::Ipv4) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        std::memcpy(&to.sin_addr, address.octets.data(), sizeof to.sin_addr);
        std::memcpy(&storage_, &to, length_ = sizeof to);
    } else {
        sockaddr_in6 to{};
        to.sin6_family = AF_INET6;
        to.sin6_port = htons(port);
        std::memcpy(&to.sin6_addr, address.octets.data(), sizeof to.sin6_addr);
        std::memcpy(&storage_, &to, length_ = sizeof to);
    }
}

SocketAddress::SocketAddress(const std::filesystem::path& socket) : text_(socket.native()) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    if (text_.empty() || text_.size() >= sizeof to.sun_path) return;
    text_.copy(to.sun_path, text_.size());
    const bool is_abstract = text_.front() == '@';
    if (is_abstract) to.sun_path[0] = '\0';
    const auto length = offsetof(sockaddr_un, sun_path) + text_.size() + (is_abstract ? 0 : 1);
    std::memcpy(&storage_, &to, length);
    length_ = static_cast<socklen_t>(length);
}

SocketAddress::Connection SocketAddress::connect(int type) const {
    if (length_ == 0) return {.socket = {}, .fault = ENAMETOOLONG};
    Connection made{.socket = FileDescriptor{::socket(storage_.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)}};
    if (!made.socket.is_open()) return {.socket = {}, .fault = errno};
    // Capped by the system's limit (net.core.wmem_max). TCP sizes its buffer better by itself (tcp(7)).
    if (type == SOCK_DGRAM) ::setsockopt(made.socket.get(), SOL_SOCKET, SO_SNDBUF, &kRoom, sizeof kRoom);
    const auto* const to = reinterpret_cast<const sockaddr*>(&storage_);
    if (::connect(made.socket.get(), to, length_) != 0) made.fault = errno;
    return made;
}

int wait_until_writable(int fd, std::chrono::steady_clock::time_point deadline) {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        pollfd watched{.fd = fd, .events = POLLOUT, .revents = 0};
        const int ready = ::poll(&watched, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
        if (ready > 0) return 0;
        if (ready == 0) return ETIMEDOUT;
        if (errno != EINTR) return errno;
    }
}

}  // namespace headgate::flowlog
