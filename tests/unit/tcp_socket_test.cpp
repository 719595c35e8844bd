// SPDX-License-Identifier: GPL-2.0-or-later
#include "sessions/tcp_socket.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>

#include <cstring>

namespace headgate::sessions {
namespace tcp_socket_test {

using Octets = std::vector<std::byte>;

template <typename T>
void append(Octets& out, const T& value) {
    const auto* const begin = reinterpret_cast<const std::byte*>(&value);
    out.insert(out.end(), begin, begin + sizeof value);
}

Octets message(int family, int state, const char* local, const char* remote) {
    inet_diag_msg fixed{};
    fixed.idiag_family = static_cast<std::uint8_t>(family);
    fixed.idiag_state = static_cast<std::uint8_t>(state);
    fixed.id.idiag_sport = htons(22);
    fixed.id.idiag_dport = htons(50222);
    EXPECT_EQ(inet_pton(family, local, fixed.id.idiag_src), 1);
    EXPECT_EQ(inet_pton(family, remote, fixed.id.idiag_dst), 1);
    fixed.id.idiag_if = 3;
    fixed.idiag_inode = 4711;
    Octets out;
    append(out, fixed);
    return out;
}

void append_cgroup(Octets& out, std::uint64_t id) {
    append(out, nlattr{NLA_HDRLEN + 1, INET_DIAG_SHUTDOWN});
    append(out, std::uint32_t{0});
    append(out, nlattr{NLA_HDRLEN + sizeof id, INET_DIAG_CGROUP_ID});
    append(out, id);
}

TEST(TcpSocket, is_read_with_its_ends_its_inode_and_its_control_group) {
    auto bytes = message(AF_INET, TCP_ESTABLISHED, "192.0.2.1", "198.51.100.7");
    append_cgroup(bytes, 0x1'0000'0007);
    const auto socket = parse_socket(bytes).value();
    EXPECT_EQ(to_string(filter_of(socket)),
              "source=198.51.100.7,destination=192.0.2.1,source-port=50222,destination-port=22,protocol=tcp");
    EXPECT_FALSE(socket.listens);
    EXPECT_EQ(socket.inode, 4711U);
    EXPECT_EQ(socket.cgroup, 0x1'0000'0007U);
    EXPECT_TRUE(parse_socket(message(AF_INET, TCP_LISTEN, "0.0.0.0", "0.0.0.0"))->listens);
}

TEST(TcpSocket, of_ipv6_with_mapped_addresses_is_of_ipv4) {
    const auto mapped = parse_socket(message(AF_INET6, TCP_ESTABLISHED, "::ffff:192.0.2.1", "::ffff:198.51.100.7"));
    EXPECT_EQ(mapped, parse_socket(message(AF_INET, TCP_ESTABLISHED, "192.0.2.1", "198.51.100.7")));
    const auto link_local = parse_socket(message(AF_INET6, TCP_ESTABLISHED, "fe80::2", "fe80::1"));
    EXPECT_EQ(to_string(filter_of(*link_local)),
              "source=fe80::1,destination=fe80::2,source-port=50222,destination-port=22,protocol=tcp");
}

TEST(TcpSocket, that_is_cut_short_is_none_and_its_control_group_is_not_made_up) {
    auto bytes = message(AF_INET, TCP_ESTABLISHED, "192.0.2.1", "198.51.100.7");
    const auto fixed = bytes.size();
    append_cgroup(bytes, 7);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const auto socket = parse_socket(netlink::Bytes{bytes}.first(size));
        EXPECT_EQ(socket.has_value(), size >= fixed) << size;
        EXPECT_FALSE(socket && socket->cgroup) << size;
    }
    bytes[fixed] = std::byte{0xff};  // an attribute whose length exceeds the message
    bytes[fixed + 1] = std::byte{0xff};
    EXPECT_FALSE(parse_socket(bytes)->cgroup);
}

TEST(TcpSocket, in_another_state_or_of_another_family_is_none) {
    EXPECT_FALSE(parse_socket(message(AF_INET, TCP_CLOSE_WAIT, "192.0.2.1", "198.51.100.7")));
    auto other = message(AF_INET, TCP_ESTABLISHED, "192.0.2.1", "198.51.100.7");
    other[0] = std::byte{AF_UNIX};
    EXPECT_FALSE(parse_socket(other));
}

TEST(TcpSockets, are_asked_for_by_family_and_state) {
    const auto bytes = socket_request(Family::Ipv6);
    nlmsghdr header{};
    inet_diag_req_v2 request{};
    ASSERT_EQ(bytes.size(), sizeof header + sizeof request);
    std::memcpy(&header, bytes.data(), sizeof header);
    std::memcpy(&request, bytes.data() + sizeof header, sizeof request);
    EXPECT_EQ(header.nlmsg_len, bytes.size());
    EXPECT_EQ(header.nlmsg_type, SOCK_DIAG_BY_FAMILY);
    EXPECT_EQ(header.nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
    EXPECT_EQ(request.sdiag_family, AF_INET6);
    EXPECT_EQ(request.sdiag_protocol, IPPROTO_TCP);
    EXPECT_EQ(request.idiag_states, (1U << TCP_ESTABLISHED) | (1U << TCP_LISTEN));
}

}  // namespace tcp_socket_test
}  // namespace headgate::sessions
