// SPDX-License-Identifier: GPL-2.0-or-later
#include "headgate/address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <random>

namespace headgate {
namespace address_test {

std::string text_by_inet_ntop(const Address& address) {
    char text[INET6_ADDRSTRLEN]{};
    inet_ntop(address.family == Family::Ipv4 ? AF_INET : AF_INET6, address.octets.data(), text, sizeof text);
    return text;
}

TEST(Address, is_read_and_written_in_both_families) {
    EXPECT_EQ(to_string(parse_address("192.0.2.44").value()), "192.0.2.44");
    EXPECT_EQ(to_string(parse_address("2001:DB8:0:0::1").value()), "2001:db8::1");
    EXPECT_EQ(to_string(parse_address("::").value()), "::");
}

TEST(Address, is_written_as_inet_ntop_writes_it) {
    std::mt19937 random{1};
    for (int i = 0; i < 20'000; ++i) {
        Address address{i % 2 == 0 ? Family::Ipv4 : Family::Ipv6, {}};
        for (std::size_t octet = 0; octet < address_octets(address.family); ++octet) {
            // Many zeros, so that every form of "::" occurs.
            address.octets[octet] = random() % 3 == 0 ? static_cast<std::uint8_t>(random()) : std::uint8_t{0};
        }
        if (i % 14 == 1) address.octets[10] = address.octets[11] = 0xFF;
        EXPECT_EQ(to_string(address), text_by_inet_ntop(address));
        EXPECT_EQ(parse_address_as_written(to_string(address)).value(), address);
    }
}

TEST(Address, that_is_mapped_is_the_ipv4_address) {
    for (const auto* text : {"::ffff:10.9.9.9", "::FFFF:0a09:0909", "0:0:0:0:0:ffff:a09:909"})
        EXPECT_EQ(parse_address(text).value(), parse_address("10.9.9.9").value()) << text;
    for (const auto* text : {"::10.9.9.9", "::fffe:10.9.9.9", "::1:ffff:10.9.9.9", "64:ff9b::10.9.9.9"})
        EXPECT_EQ(parse_address(text)->family, Family::Ipv6) << text;
    EXPECT_EQ(to_string(parse_address_as_written("::ffff:192.0.2.1").value()), "::ffff:192.0.2.1");
}

TEST(Address, refuses_what_is_none) {
    for (const auto* text : {"", "10.0.0", "10.0.0.256", "10.0.0.1 ", "fe80::1%eth0", "::1::", "host", "1.2.3.4/24"}) {
        EXPECT_FALSE(parse_address(text).has_value()) << text;
    }
    EXPECT_FALSE(parse_address(std::string_view{"10.0.0.1\0x", 10}).has_value());
    EXPECT_FALSE(parse_address(std::string(1000, '1')).has_value());
}

TEST(Prefix, of_mapped_addresses_alone_is_one_of_ipv4) {
    EXPECT_EQ(parse_prefix("::ffff:10.9.9.9").value(), parse_prefix("10.9.9.9").value());
    EXPECT_EQ(parse_prefix("::ffff:10.9.9.9/128").value(), parse_prefix("10.9.9.9/32").value());
    EXPECT_EQ(parse_prefix("::ffff:10.9.0.0/112").value(), parse_prefix("10.9.0.0/16").value());
    EXPECT_EQ(parse_prefix("::ffff:0:0/96").value(), parse_prefix("0.0.0.0/0").value());
    EXPECT_EQ(to_string(parse_prefix("::fffe:0:0/95").value()), "::fffe:0:0/95");
    EXPECT_EQ(parse_prefix("::ffff:0:0/95").error().message,
              "::ffff:0:0/95 has host bits set; the prefix is ::fffe:0:0/95");
    EXPECT_EQ(parse_prefix("::ffff:10.9.9.9/104").error().message,
              "::ffff:10.9.9.9/104 has host bits set; the prefix is 10.0.0.0/8");
    EXPECT_EQ(parse_prefix("::ffff:10.9.9.9/129").error().message, "::ffff:10.9.9.9/129: /129 is longer than /128");
    EXPECT_FALSE(parse_prefix("::ffff:10.9.9.9/").has_value());
}

TEST(Prefix, contains_what_shares_its_first_bits) {
    const auto prefix = parse_prefix("10.0.2.0/23").value();
    EXPECT_TRUE(prefix.contains(parse_address("10.0.2.0").value()));
    EXPECT_TRUE(prefix.contains(parse_address("10.0.3.255").value()));
    EXPECT_FALSE(prefix.contains(parse_address("10.0.4.0").value()));
    EXPECT_FALSE(prefix.contains(parse_address("10.0.1.255").value()));
}

TEST(Prefix, of_no_length_contains_its_whole_family_and_nothing_of_the_other) {
    EXPECT_TRUE(parse_prefix("0.0.0.0/0")->contains(parse_address("203.0.113.9").value()));
    EXPECT_TRUE(parse_prefix("::/0")->contains(parse_address("2001:db8::1").value()));
    EXPECT_FALSE(parse_prefix("::/0")->contains(parse_address("0.0.0.0").value()));
}

TEST(Prefix, may_end_at_any_bit_of_an_ipv6_address) {
    for (unsigned length = 0; length <= 128; ++length) {
        Address inside{Family::Ipv6, {}};
        inside.octets.fill(0xA5);
        Prefix prefix{inside, static_cast<std::uint8_t>(length)};
        EXPECT_TRUE(prefix.contains(inside));
        for (unsigned bit = 0; bit < 128; ++bit) {
            Address flipped = inside;
            flipped.octets[bit / 8] ^= static_cast<std::uint8_t>(0x80U >> bit % 8);
            EXPECT_EQ(prefix.contains(flipped), bit >= length) << length << " " << bit;
        }
    }
}

TEST(Prefix, of_a_bare_address_is_that_address_alone) {
    EXPECT_EQ(parse_prefix("192.0.2.44")->length, 32);
    EXPECT_EQ(parse_prefix("2001:db8::1")->length, 128);
    EXPECT_EQ(to_string(parse_prefix("192.0.2.44").value()), "192.0.2.44");
}

TEST(Prefix, with_host_bits_set_is_refused_and_the_right_one_named) {
    EXPECT_EQ(parse_prefix("10.0.1.5/24").error().message, "10.0.1.5/24 has host bits set; the prefix is 10.0.1.0/24");
    EXPECT_EQ(parse_prefix("2001:db8::1/65").error().message,
              "2001:db8::1/65 has host bits set; the prefix is 2001:db8::/65");
}

TEST(Prefix, longer_than_its_family_is_refused) {
    EXPECT_EQ(parse_prefix("10.0.0.0/33").error().message, "10.0.0.0/33: /33 is longer than /32");
    EXPECT_EQ(parse_prefix("::/129").error().message, "::/129: /129 is longer than /128");
    for (const auto* text : {"10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8x", "10.0.0.0/99999999999"}) {
        EXPECT_FALSE(parse_prefix(text).has_value()) << text;
    }
}

TEST(Address, is_a_loopback_one_in_127_and_as_1) {
    for (const auto* text : {"127.0.0.1", "127.255.255.255", "::1"})
        EXPECT_TRUE(is_loopback(parse_address_as_written(text).value())) << text;
    for (const auto* text : {"128.0.0.1", "0.0.0.0", "::", "::2", "1::1", "::ffff:127.0.0.1", "7f00::"})
        EXPECT_FALSE(is_loopback(parse_address_as_written(text).value())) << text;
}

}  // namespace address_test
}  // namespace headgate
