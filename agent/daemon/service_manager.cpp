// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/service_manager.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>

#include "base/text.h"

namespace headgate::daemon {
namespace {

/// Descriptor of the first socket passed by systemd (sd_listen_fds(3), SD_LISTEN_FDS_START).
constexpr int kFirstSocket = 3;
constexpr std::uint32_t kMostSockets = 64;

std::optional<std::string_view> environment(const char* name) {
    const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): this process sets none
    return value != nullptr ? std::optional<std::string_view>{value} : std::nullopt;
}

/// Child processes inherit these variables, so the process ID in them must match.
bool is_this_process(std::string_view id) {
    return parse_unsigned<std::uint32_t>(id) == static_cast<std::uint32_t>(::getpid());
}

/// The protocol is one datagram and guaranteed to be stable (sd_notify(3), "Notes"). libsystemd would also load
/// compression and cryptography libraries into every process.
Result<void> notify(const std::string& state) {
    const auto path = environment("NOTIFY_SOCKET");
    if (!path) return {};
    constexpr std::string_view kWhat = "telling the service manager (NOTIFY_SOCKET)";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path->size() >= sizeof address.sun_path) return system_error(E2BIG, kWhat);
    path->copy(address.sun_path, path->size());
    if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // abstract address, unix(7)
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path->size());
    const FileDescriptor socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    if (!socket.is_open()) return system_error(errno, kWhat);
    const auto* const to = reinterpret_cast<const sockaddr*>(&address);
    if (::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT, to, length) < 0) {
        return system_error(errno, kWhat);
    }
    return {};
}

/// Assignments are separated by newlines: a newline within a status would begin another assignment.
std::string one_line(std::string_view text) {
    std::string line{text};
    std::ranges::replace_if(
        line, [](char c) { return c == '\n' || c == '\r' || c == '\0'; }, ' ');
    return line;
}

/// From it systemd knows whether a READY=1 belongs to this reload or came before it (sd_notify(3), MONOTONIC_USEC).
std::uint64_t monotonic_microseconds() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
}

}  // namespace

std::vector<FileDescriptor> inherited_sockets() {
    const auto process = environment("LISTEN_PID");
    const auto count = environment("LISTEN_FDS");
    if (!process || !count || !is_this_process(*process)) return {};
    std::vector<FileDescriptor> sockets;
    for (std::uint32_t i = 0; i < std::min(parse_unsigned<std::uint32_t>(*count).value_or(0), kMostSockets); ++i) {
        const int descriptor = kFirstSocket + static_cast<int>(i);
        if (::fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0) sockets.emplace_back(descriptor);
    }
    return sockets;
}

Result<void> notify_ready(std::string_view status) {
    return notify(fmt::format("READY=1\nSTATUS={}", one_line(status)));
}

Result<void> notify_reloading() {
    return notify(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_microseconds()));
}

Result<void> notify_stopping(std::chrono::microseconds at_most) {
    return notify(fmt::format("STOPPING=1\nEXTEND_TIMEOUT_USEC={}", at_most.count()));
}

Result<void> notify_alive() {
    return notify("WATCHDOG=1");
}

std::optional<std::chrono::microseconds> keep_alive_period() {
    const auto patience = environment("WATCHDOG_USEC");
    const auto process = environment("WATCHDOG_PID");
    if (!patience || (process && !is_this_process(*process))) return std::nullopt;
    const auto period = parse_unsigned<std::uint64_t>(*patience);
    return period && *period != 0 ? std::optional{std::chrono::microseconds{*period / 2}} : std::nullopt;
}

}  // namespace headgate::daemon
