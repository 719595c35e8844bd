// SPDX-License-Identifier: GPL-2.0-or-later
#include "sessions/ssh_sessions.h"

#include <gtest/gtest.h>

#include "sessions/processes.h"

namespace headgate::sessions {
namespace ssh_sessions_test {

constexpr std::uint64_t kSshGroup = 1;
constexpr std::uint64_t kProxyGroup = 2;
constexpr std::uint64_t kLoginGroup = 3;

Address address(std::string_view text) {
    return parse_address(text).value();
}

TcpSocket listening(std::uint16_t port) {
    TcpSocket socket;
    socket.listens = true;
    socket.local_port = port;
    socket.inode = 10'000U + port;
    return socket;
}

/// A connection from 198.51.100.7, with a source port derived from the inode.
TcpSocket accepted(std::uint64_t inode, std::uint16_t port = 22) {
    TcpSocket socket;
    socket.local = address("192.0.2.1");
    socket.local_port = port;
    socket.remote = address("198.51.100.7");
    socket.remote_port = static_cast<std::uint16_t>(50'000 + inode);
    socket.inode = inode;
    return socket;
}

TcpSocket in_group(TcpSocket socket, std::uint64_t group) {
    socket.cgroup = group;
    return socket;
}

std::string connection(std::uint64_t inode, std::uint16_t port = 22) {
    return fmt::format("198.51.100.7 {} 192.0.2.1 {}", 50'000 + inode, port);
}

std::vector<std::uint64_t> inodes(const std::vector<TcpSocket>& sockets) {
    std::vector<std::uint64_t> numbers;
    for (const auto& socket : sockets)
        numbers.push_back(socket.inode);
    return numbers;
}

using Inodes = std::vector<std::uint64_t>;

TEST(SshConnection, is_read_from_the_environment_that_sshd_sets) {
    EXPECT_EQ(to_string(parse_ssh_connection("198.51.100.7 50222 192.0.2.1 22").value()),
              "source=198.51.100.7,destination=192.0.2.1,source-port=50222,destination-port=22,protocol=tcp");
    EXPECT_EQ(to_string(parse_ssh_connection("fe80::1%eth0 50222 fe80::2%eth0 22").value()),
              "source=fe80::1,destination=fe80::2,source-port=50222,destination-port=22,protocol=tcp");
    EXPECT_EQ(to_string(parse_ssh_connection("::ffff:198.51.100.7 50222 ::ffff:192.0.2.1 22").value()),
              "source=198.51.100.7,destination=192.0.2.1,source-port=50222,destination-port=22,protocol=tcp");
}

TEST(SshConnection, that_makes_no_sense_is_refused) {
    for (const auto* text : {"", "198.51.100.7", "198.51.100.7 50222 192.0.2.1", "198.51.100.0/24 1 192.0.2.1 22",
                             "198.51.100.7 70000 192.0.2.1 22", "UNKNOWN 65535 UNKNOWN 65535"}) {
        EXPECT_FALSE(parse_ssh_connection(text).has_value()) << text;
    }
}

TEST(SshSessions, are_the_sockets_that_sshd_holds_whatever_the_port) {
    SocketEvidence evidence;
    evidence.sockets = {listening(2222), accepted(1, 2222), listening(443), accepted(2, 443)};
    evidence.ssh_servers = {{12'222}, {1}};
    evidence.others = {2};
    const auto found = find_sessions(evidence);
    EXPECT_EQ(inodes(found.sessions), Inodes{1});
    EXPECT_TRUE(found.unknown.empty());
    EXPECT_EQ(inodes(found.established), (Inodes{1, 2}));
    EXPECT_TRUE(found.has(parse_ssh_connection(connection(2, 443)).value()));
    EXPECT_FALSE(found.has(parse_ssh_connection(connection(3, 443)).value()));
}

TEST(SshSessions, are_not_the_connections_that_they_forward) {
    auto forwarded = accepted(2, 43'210);
    SocketEvidence evidence;
    evidence.sockets = {listening(22), accepted(1), forwarded};
    evidence.ssh_servers = {{1, 2}};
    EXPECT_EQ(inodes(find_sessions(evidence).sessions), Inodes{1});
}

TEST(SshSessions, are_not_the_connections_to_ports_that_they_listen_on_for_their_clients) {
    SocketEvidence evidence;
    evidence.sockets = {listening(8080), accepted(1, 2222), accepted(2, 8080)};
    evidence.ssh_servers = {{1, 2, 18'080}};
    EXPECT_EQ(inodes(find_sessions(evidence).sessions), (Inodes{1, 2})) << "sshd has ended: either may be it";
    evidence.sockets.push_back(listening(2222));
    EXPECT_EQ(inodes(find_sessions(evidence).sessions), Inodes{1});
}

TEST(SshSessions, go_on_when_the_server_no_longer_listens) {
    SocketEvidence evidence;
    evidence.sockets = {accepted(1, 2222)};
    evidence.ssh_servers = {{1}};
    EXPECT_EQ(inodes(find_sessions(evidence).sessions), Inodes{1});
}

TEST(SshSessions, of_processes_out_of_sight_are_known_by_the_unit_that_listens) {
    SocketEvidence evidence;
    evidence.units = {
        {kSshGroup, "ssh-management.service"}, {kProxyGroup, "squid.service"}, {kLoginGroup, "session-3.scope"}};
    evidence.sockets = {listening(2222),
                        in_group(accepted(1, 2222), kSshGroup),
                        listening(22),
                        in_group(accepted(2, 22), kProxyGroup),
                        listening(8000),
                        in_group(accepted(3, 8000), kLoginGroup),
                        in_group(accepted(4, 40'000), kSshGroup)};
    const auto found = find_sessions(evidence);
    EXPECT_EQ(inodes(found.sessions), Inodes{1}) << "not one of squid's, and not one that leads elsewhere";
    EXPECT_EQ(inodes(found.unknown), Inodes{3});
}

TEST(SshSessions, of_processes_out_of_sight_are_those_to_port_22_where_nothing_else_identifies_them) {
    SocketEvidence evidence;
    evidence.sockets = {listening(22), accepted(1), listening(2222), accepted(2, 2222), accepted(3, 40'000)};
    auto found = find_sessions(evidence);
    EXPECT_EQ(inodes(found.sessions), Inodes{1});
    EXPECT_EQ(inodes(found.unknown), Inodes{2}) << "no process listens on the third's port: it leads elsewhere";
    EXPECT_EQ(found.unproved, (std::set<std::uint64_t>{1, 2}));
    evidence.others = {1, 2};
    found = find_sessions(evidence);
    EXPECT_TRUE(found.sessions.empty() && found.unknown.empty()) << "other programs hold them";
}

TEST(SshSessions, begin_when_a_process_has_taken_the_connection) {
    EXPECT_TRUE(find_sessions({{listening(22), accepted(0)}, {}, {}, {}}).sessions.empty());
}

TEST(Units, serve_ssh_by_their_names) {
    for (const auto* name : {"ssh.service", "sshd.service", "ssh.socket", "sshd@12-10.0.0.1:22.service",
                             "sshd-mgmt.service", "dropbear.socket", "dropbear@1.service"}) {
        EXPECT_EQ(unit_kind(name), UnitKind::Ssh) << name;
    }
    for (const auto* name : {"squid.service", "headgate.socket", "nginx.service"})
        EXPECT_EQ(unit_kind(name), UnitKind::Other) << name;
    for (const auto* name :
         {"session-3.scope", "user@1000.service", "run-u7.service", "system.slice", "docker-1f.scope", ""})
        EXPECT_EQ(unit_kind(name), UnitKind::Any) << name;
}

class OwnSession : public ::testing::Test {
  protected:
    std::optional<std::uint64_t> own() {
        const auto session = own_session(sockets_, ancestors_);
        return session ? std::optional{session->inode} : std::nullopt;
    }

    std::vector<TcpSocket> sockets_{listening(22), accepted(1), accepted(2)};
    std::vector<Ancestor> ancestors_{{"headgate", {}, {}}, {"bash", {}, {}}, {"sshd", {}, {}}, {"sshd", {}, {}}};
};

TEST_F(OwnSession, is_the_one_whose_socket_the_server_above_holds) {
    ancestors_[2].sockets = {2};
    EXPECT_EQ(own(), 2U);
    ancestors_[0].ssh_connection = connection(1);
    EXPECT_EQ(own(), 2U) << "whatever the environment says";
}

TEST_F(OwnSession, is_the_one_in_the_environment_where_the_server_is_above_and_its_sockets_cannot_be_seen) {
    ancestors_[1].ssh_connection = connection(1);
    EXPECT_EQ(own(), 1U);
    ancestors_[0].ssh_connection = connection(2);
    EXPECT_EQ(own(), 1U) << "of the environment that is next to the server";
}

TEST_F(OwnSession, is_the_one_in_the_environment_where_the_server_holds_another_that_it_forwards) {
    sockets_ = {listening(8080), accepted(1, 2222), accepted(2, 8080)};
    ancestors_[2].sockets = {1, 2, 18'080};
    ancestors_[1].ssh_connection = connection(1, 2222);
    EXPECT_EQ(own(), 1U);
}

TEST_F(OwnSession, is_not_one_that_the_kernel_does_not_have) {
    ancestors_[1].ssh_connection = connection(3);
    EXPECT_EQ(own(), std::nullopt);
}

TEST_F(OwnSession, is_not_known_by_the_environment_alone_as_in_a_tmux_that_was_attached_again) {
    ancestors_ = {{"headgate", connection(1), {}}, {"bash", connection(1), {}}, {"tmux: server", connection(1), {}}};
    EXPECT_EQ(own(), std::nullopt) << "it is established, and perhaps another process's by now";
    EXPECT_EQ(named_sessions(ancestors_).size(), 1U);
}

TEST_F(OwnSession, is_not_known_for_another_user_or_on_a_console_or_from_cron) {
    EXPECT_EQ(own(), std::nullopt) << "su: neither the environments above nor the server's sockets can be read";
    ancestors_ = {{"headgate", {}, {}}, {"sh", {}, {}}, {"cron", {}, {}}};
    EXPECT_EQ(own(), std::nullopt);
    ancestors_ = {{"", {}, {}}};
    EXPECT_EQ(own(), std::nullopt);
}

TEST_F(OwnSession, that_begins_on_this_machine_is_within_another_one_which_is_not_known) {
    auto other_end = accepted(3);
    std::swap(other_end.local, other_end.remote);
    other_end.local_port = accepted(2).remote_port;
    other_end.remote_port = 22;
    sockets_.push_back(other_end);
    ancestors_[2].sockets = {2};
    EXPECT_EQ(own(), std::nullopt);
    ancestors_[2].sockets = {1};
    EXPECT_EQ(own(), 1U);
}

TEST_F(OwnSession, is_not_known_where_its_server_holds_several) {
    ancestors_[2].sockets = {1, 2};
    EXPECT_EQ(own(), std::nullopt);
}

TEST(SessionFilters, of_very_many_sessions_are_few) {
    std::vector<TcpSocket> sockets;
    for (std::uint64_t inode = 1; inode <= 32; ++inode)
        sockets.push_back(accepted(inode));
    EXPECT_EQ(at_most_some(filters_of(sockets)).size(), 32U);
    sockets.push_back(accepted(33));
    const auto filters = at_most_some(filters_of(sockets));
    ASSERT_EQ(filters.size(), 1U);
    EXPECT_EQ(to_string(filters.front()), "destination=192.0.2.1,destination-port=22,protocol=tcp");
}

}  // namespace ssh_sessions_test
}  // namespace headgate::sessions
