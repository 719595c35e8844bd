#include "operations/ssh_session.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace headgate::operations {
namespace ssh_session_test {

TEST(SshSession, is_read_from_what_sshd_says) {
    EXPECT_EQ(to_string(parse_ssh_connection("198.51.100.7 50222 192.0.2.1 22").value()),
              "source=198.51.100.7,destination=192.0.2.1,source-port=50222,destination-port=22,protocol=tcp");
    EXPECT_EQ(to_string(parse_ssh_connection("fe80::1%eth0 50222 fe80::2%eth0 22").value()),
              "source=fe80::1,destination=fe80::2,source-port=50222,destination-port=22,protocol=tcp");
    EXPECT_EQ(to_string(parse_ssh_connection("::ffff:198.51.100.7 50222 ::ffff:192.0.2.1 22").value()),
              "source=198.51.100.7,destination=192.0.2.1,source-port=50222,destination-port=22,protocol=tcp");
}

TEST(SshSession, that_makes_no_sense_is_refused) {
    for (const auto* text : {"", "198.51.100.7", "198.51.100.7 50222 192.0.2.1", "198.51.100.0/24 1 192.0.2.1 22",
                             "198.51.100.7 70000 192.0.2.1 22", "UNKNOWN 65535 UNKNOWN 65535"}) {
        EXPECT_FALSE(parse_ssh_connection(text).has_value()) << text;
    }
}

TEST(SshSession, is_found_in_the_environment_of_a_process_above_as_with_sudo) {
    // A shell that has the variable, below it this program without it: what sudo makes of an SSH session.
    if (const char* const below = std::getenv("HEADGATE_TEST_BELOW_SSH")) {
        const auto sessions = find_ssh_sessions();
        ASSERT_FALSE(sessions.empty());
        EXPECT_EQ(to_string(sessions.front()), below);
        return;
    }
    const std::string self = std::filesystem::read_symlink("/proc/self/exe");
    const std::string command = fmt::format(
        "SSH_CONNECTION='198.51.100.7 50222 192.0.2.1 22' sh -c \"env -u SSH_CONNECTION HEADGATE_TEST_BELOW_SSH="
        "source=198.51.100.7,destination=192.0.2.1,source-port=50222,destination-port=22,protocol=tcp "
        "'{}' --gtest_filter='{}'; exit \\$?\"",
        self, "SshSession.is_found_in_the_environment_of_a_process_above_as_with_sudo");
    EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace ssh_session_test
}  // namespace headgate::operations
