// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/service_manager.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "base/text.h"
#include "files/file_descriptor.h"
#include "support/temporary_folder.h"

namespace headgate::daemon {
namespace service_manager_test {

/// The receiving end of the notification socket, in place of systemd.
class ServiceManager : public ::testing::Test {
  protected:
    void SetUp() override {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const auto path = folder_.path("notify");
        ASSERT_LT(path.size(), sizeof address.sun_path);
        std::memcpy(address.sun_path, path.c_str(), path.size());
        ASSERT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    }
    void TearDown() override {
        for (const auto* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID"})
            ::unsetenv(name);
    }

    /// The next datagram in the queue; empty when there is none.
    [[nodiscard]] std::string sent() const {
        std::array<char, 512> buffer{};
        const ssize_t size = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        return size < 0 ? "" : std::string{buffer.data(), static_cast<std::size_t>(size)};
    }

    headgate::testing::TemporaryFolder folder_;
    FileDescriptor socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
};

TEST_F(ServiceManager, is_notified_of_what_the_agent_does) {
    ASSERT_TRUE(notify_ready("2 endpoints").has_value());
    EXPECT_EQ(sent(), "READY=1\nSTATUS=2 endpoints");
    ASSERT_TRUE(notify_alive().has_value());
    EXPECT_EQ(sent(), "WATCHDOG=1");
    ASSERT_TRUE(notify_stopping(std::chrono::seconds{90}).has_value());
    EXPECT_EQ(sent(), "STOPPING=1\nEXTEND_TIMEOUT_USEC=90000000");
}

TEST_F(ServiceManager, is_notified_when_a_reload_begins) {
    timespec before{};
    ::clock_gettime(CLOCK_MONOTONIC, &before);
    ASSERT_TRUE(notify_reloading().has_value());
    const auto text = sent();
    const std::string_view head = "RELOADING=1\nMONOTONIC_USEC=";
    ASSERT_TRUE(text.starts_with(head)) << text;
    const auto microseconds = parse_unsigned<std::uint64_t>(text.substr(head.size()));
    ASSERT_TRUE(microseconds.has_value()) << text;
    EXPECT_GE(*microseconds, static_cast<std::uint64_t>(before.tv_sec) * 1'000'000);
    EXPECT_LE(*microseconds, static_cast<std::uint64_t>(before.tv_sec + 60) * 1'000'000);
}

TEST_F(ServiceManager, takes_a_status_of_several_lines_for_one) {
    ASSERT_TRUE(notify_ready("bad\nSTOPPING=1").has_value());
    EXPECT_EQ(sent(), "READY=1\nSTATUS=bad STOPPING=1");
}

TEST_F(ServiceManager, that_did_not_ask_is_not_notified) {
    ::unsetenv("NOTIFY_SOCKET");
    EXPECT_TRUE(notify_ready("").has_value());
    EXPECT_TRUE(notify_alive().has_value());
    EXPECT_EQ(sent(), "");
}

TEST_F(ServiceManager, that_does_not_listen_is_an_error) {
    ::setenv("NOTIFY_SOCKET", folder_.path("nobody").c_str(), 1);
    const auto result = notify_ready("");
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().number, ENOENT);
}

TEST_F(ServiceManager, hands_no_sockets_over_to_another_process) {
    EXPECT_TRUE(inherited_sockets().empty());
    ::setenv("LISTEN_FDS", "1", 1);
    ::setenv("LISTEN_PID", "1", 1);
    EXPECT_TRUE(inherited_sockets().empty());
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDS", "many", 1);
    EXPECT_TRUE(inherited_sockets().empty());
}

TEST_F(ServiceManager, is_notified_twice_in_the_time_that_it_waits) {
    EXPECT_FALSE(keep_alive_period().has_value());
    ::setenv("WATCHDOG_USEC", "30000000", 1);
    EXPECT_EQ(keep_alive_period(), std::chrono::seconds{15});
    ::setenv("WATCHDOG_USEC", "7200000000", 1);
    EXPECT_EQ(keep_alive_period(), std::chrono::hours{1}) << "more than 32 bits";
    ::setenv("WATCHDOG_PID", "1", 1);
    EXPECT_FALSE(keep_alive_period().has_value()) << "it watches another process";
}

}  // namespace service_manager_test
}  // namespace headgate::daemon
