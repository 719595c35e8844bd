// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/configuration_check.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "config/load.h"
#include "operations/store_file.h"
#include "support/temporary_folder.h"

namespace headgate::daemon {
namespace configuration_check_test {

using headgate::testing::TemporaryFolder;

class ConfigurationCheck : public ::testing::Test {
  protected:
    /// The faults that `prevents` and earlier enumerators cover.
    std::string faults_of(const std::string& text, Prevents prevents = Prevents::Nothing,
                          const FileIdentity& agent = {}) {
        const auto state_dir = fmt::format("state_dir: {}\n", folder_.path("state"));
        const auto configuration = config::parse_configuration(state_dir + text, "x.yaml");
        EXPECT_TRUE(configuration) << configuration.error().message;
        const auto checked = verdict(check_configuration(*configuration, agent), prevents);
        return checked ? "" : checked.error().message;
    }
    std::string credentials(const std::string& text, mode_t mode = 0600) {
        const auto file = folder_.write("credentials.yaml", text);
        EXPECT_EQ(::chmod(file.c_str(), mode), 0);
        return file;
    }

    TemporaryFolder folder_;
};

TEST_F(ConfigurationCheck, finds_nothing_wrong_with_the_defaults) {
    EXPECT_EQ(faults_of(""), "");
}

TEST_F(ConfigurationCheck, of_credentials_that_others_may_read) {
    const auto file = credentials("tokens: []\n", 0644);
    EXPECT_EQ(faults_of(fmt::format("http: {{credentials: {}}}\n", file), Prevents::Starting),
              fmt::format("http.credentials: {0}: others than its owner may use it (mode 644): chmod 600 {0}", file));
}

TEST_F(ConfigurationCheck, reads_credentials_as_the_agent) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can be another agent's user";
    constexpr uid_t kNobody = 65534;
    const auto text = fmt::format("http: {{credentials: {}}}\n", credentials("tokens: []\n"));
    const auto state_dir = folder_.path("state");
    std::filesystem::create_directory(state_dir);
    ASSERT_EQ(::chown(state_dir.c_str(), kNobody, kNobody), 0);
    EXPECT_EQ(faults_of(text, Prevents::Starting), "") << "an agent that runs as root, whoever owns its directory";
    EXPECT_NE(faults_of(text, Prevents::Starting, FileIdentity::of(state_dir)).find("Permission denied"),
              std::string::npos);
}

TEST_F(ConfigurationCheck, of_credentials_tells_every_fault) {
    const auto file = credentials("tokens:\n- {name: a, sha256: 12, role: viewer}\n- {name: b, role: admin}\n");
    EXPECT_EQ(faults_of(fmt::format("http: {{credentials: {}}}\n", file), Prevents::Starting),
              fmt::format("http.credentials: {0}:2: tokens: sha256: must be 64 hexadecimal digits\n"
                          "http.credentials: {0}:3: tokens: sha256: missing\n"
                          "http.credentials: {0}:3: tokens: role: must be `viewer` or `operator`",
                          file));
}

TEST_F(ConfigurationCheck, of_a_damaged_store) {
    const auto folder = folder_.path("state");
    std::filesystem::create_directory(folder);
    EXPECT_EQ(faults_of(""), "") << "the agent makes one";
    const auto store = folder_.write("state/operations.db", std::string(10'000, 'x'));
    EXPECT_EQ(
        faults_of(""),
        fmt::format("state_dir: {}: damaged (file is not a database): it was left as it is; move it away to begin "
                    "anew",
                    store));
    EXPECT_EQ(faults_of("", Prevents::Reloading), "") << "an agent that starts opens it, and says so itself";
}

TEST_F(ConfigurationCheck, of_a_store_leaves_it_as_it_is) {
    std::filesystem::create_directory(folder_.path("state"));
    ASSERT_TRUE(operations::open_store_file(folder_.path("state")));
    const auto files = [&] {
        return std::ranges::distance(std::filesystem::directory_iterator{folder_.path("state")});
    };
    const auto before = files();
    EXPECT_EQ(faults_of(""), "");
    EXPECT_EQ(files(), before);
}

TEST_F(ConfigurationCheck, of_a_file_in_the_place_of_the_socket) {
    const auto text = fmt::format("http: {{socket: {}}}\n", folder_.path("headgate.sock"));
    EXPECT_EQ(faults_of(text, Prevents::Starting), "") << "the agent makes it";
    const auto file = folder_.write("headgate.sock", "");
    EXPECT_EQ(faults_of(text, Prevents::Starting), fmt::format("http.socket: {}: not a socket", file));
}

TEST_F(ConfigurationCheck, of_a_socket_below_a_file) {
    const auto file = folder_.write("file", "");
    EXPECT_EQ(faults_of(fmt::format("http: {{socket: {}/x/headgate.sock}}\n", file), Prevents::Starting),
              fmt::format("http.socket: {}/x: Not a directory", file));
    EXPECT_EQ(faults_of(fmt::format("http: {{socket: {}}}\n", folder_.path("new/folders/headgate.sock"))), "");
    EXPECT_EQ(faults_of("http: {socket: /run/headgate-of-a-unit/headgate.sock}\n"), "") << "systemd creates the folder";
}

TEST_F(ConfigurationCheck, of_logs_that_cannot_be_written_keeps_the_agent_from_nothing) {
    const auto text = fmt::format("audit_log: {0}\nflow_log: {{sinks: [{{file: {0}}}]}}\n", folder_.path(""));
    EXPECT_EQ(faults_of(text),
              fmt::format("audit_log: {0}: a directory\nflow_log.sinks: {0}: a directory", folder_.path("")));
    EXPECT_EQ(faults_of(text, Prevents::Reloading), "");
    EXPECT_EQ(faults_of(fmt::format("audit_log: {}\n", folder_.path("new/audit.log"))), "");
}

TEST_F(ConfigurationCheck, of_a_policy_that_is_missing_concerns_a_reload) {
    const std::string text = "stream_exception_policy: drpo\n";
    EXPECT_TRUE(
        faults_of(text, Prevents::Reloading).starts_with("stream_exception_policy: policy \"drpo\" is unknown"));
    EXPECT_EQ(faults_of(text, Prevents::Starting), "") << "the agent starts, and retries";
    EXPECT_EQ(faults_of("stream_exception_policy: removed\n"), "") << "not the name of a policy";
    EXPECT_EQ(faults_of("stream_exception_policy: none\n"), "");
}

TEST_F(ConfigurationCheck, of_a_namespace_that_is_missing_keeps_the_agent_from_nothing) {
    const std::string text = "firewalls: [{name: edge, endpoints: [{availability_zone: a, netns: /nowhere/x}]}]\n";
    EXPECT_EQ(faults_of(text),
              "netns: firewall edge, availability zone a: network namespace /nowhere/x: No such file or directory");
    EXPECT_EQ(faults_of(text, Prevents::Reloading), "");
}

TEST_F(ConfigurationCheck, tells_all_faults_at_once) {
    const auto faults = faults_of(
        "http:\n"
        "  credentials: /nowhere/credentials.yaml\n"
        "  listeners:\n"
        "  - {address: 127.0.0.1, port: 8443, tls: {certificate: /nowhere/a.crt, key: /nowhere/a.key}}\n"
        "stream_exception_policy: drpo\n"
        "firewalls: [{name: edge, endpoints: [{availability_zone: a, netns: /nowhere/x}]}]\n");
    EXPECT_EQ(std::ranges::count(faults, '\n'), 3) << faults;
    EXPECT_NE(faults.find("http.credentials: /nowhere/credentials.yaml: No such file"), std::string::npos);
    EXPECT_NE(faults.find("http.listeners: tls: /nowhere/a.crt: No such file"), std::string::npos);
}

TEST_F(ConfigurationCheck, of_a_state_directory_that_is_none) {
    const auto file = folder_.write("state", "");
    EXPECT_EQ(faults_of(""), fmt::format("state_dir: {}: not a directory", file));
}

}  // namespace configuration_check_test
}  // namespace headgate::daemon
