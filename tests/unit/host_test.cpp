// SPDX-License-Identifier: GPL-2.0-or-later
// The host that a request names, and which addresses count as one client.
#include "http/host.h"

#include <gtest/gtest.h>

namespace headgate::http {
namespace host_test {

TEST(AHost, is_a_name_or_an_address_and_perhaps_a_port) {
    for (const auto* host :
         {"", "gateway", "gateway:8443", "gateway:", "10.0.0.1:80", "[::1]", "[2001:db8::1]:443", "a_b.%41"})
        EXPECT_TRUE(is_host(host)) << host;
    for (const auto* host :
         {"a b", "a/b", "user@a", "a:b", "[::1", "[]", "[::1]x", "[::1 ]", "::1", "a?b", "a#b", "a\"b"})
        EXPECT_FALSE(is_host(host)) << host;
}

TEST(AHost, is_parsed_without_its_port) {
    EXPECT_EQ(without_port("localhost:8443"), "localhost");
    EXPECT_EQ(without_port("[::1]:8443"), "::1");
    EXPECT_EQ(without_port("127.0.0.1"), "127.0.0.1");
    EXPECT_EQ(without_port("a:99999"), "");
    EXPECT_EQ(without_port("a:"), "");
}

TEST(ANeighbourhood, is_an_ipv4_address_or_a_64_of_ipv6) {
    const auto of = [](std::string_view text) { return neighbourhood_of(parse_address(text).value()); };
    EXPECT_EQ(of("10.0.1.2"), "10.0.1.2");
    EXPECT_EQ(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
    EXPECT_EQ(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::1"));
}

}  // namespace host_test
}  // namespace headgate::http
