// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include "config/value_types.h"

namespace headgate::config {
namespace syslog_target_test {

SyslogTarget parse(std::string_view text) {
    const auto target = parse_syslog_target(text);
    EXPECT_TRUE(target) << text << ": " << target.error().message;
    return target.value_or(SyslogTarget{});
}

std::string error_of(std::string_view text) {
    const auto target = parse_syslog_target(text);
    return target ? "" : target.error().message;
}

TEST(SyslogTarget, is_an_address_with_a_port_or_a_socket) {
    const auto ipv4 = parse_address("192.0.2.1").value();
    const auto ipv6 = parse_address("2001:db8::1").value();
    EXPECT_EQ(parse("udp://192.0.2.1:5514"), (SyslogTarget{SyslogTransport::Udp, ipv4, 5514, {}}));
    EXPECT_EQ(parse("tcp://[2001:db8::1]:1"), (SyslogTarget{SyslogTransport::Tcp, ipv6, 1, {}}));
    EXPECT_EQ(parse("unix:///dev/log"), (SyslogTarget{SyslogTransport::Unix, {}, 0, "/dev/log"}));
}

TEST(SyslogTarget, has_the_usual_port_without_one) {
    EXPECT_EQ(parse("udp://[::1]").port, 514);
    EXPECT_EQ(parse("tcp://127.0.0.1").port, 601);
}

TEST(SyslogTarget, is_printed_in_the_grammar_in_which_it_is_parsed) {
    for (const auto* text : {"udp://192.0.2.1:514", "tcp://[2001:db8::1]:65535", "unix:///run/a b.sock"})
        EXPECT_EQ(to_string(parse(text)), text);
    EXPECT_EQ(to_string(parse("udp://[::1]")), "udp://[::1]:514");
}

TEST(SyslogTarget, errors_name_the_rule) {
    EXPECT_EQ(error_of("192.0.2.1"), "\"192.0.2.1\" does not begin with udp://, tcp:// or unix://");
    EXPECT_EQ(error_of("tls://192.0.2.1"), "\"tls://192.0.2.1\" does not begin with udp://, tcp:// or unix://");
    EXPECT_EQ(error_of("udp://log.example"),
              "\"udp://log.example\": \"log.example\" is not an IPv4 address, and one of IPv6 stands in brackets");
    EXPECT_EQ(error_of("udp://2001:db8::1"),
              "\"udp://2001:db8::1\": \"2001\" is not an IPv4 address, and one of IPv6 stands in brackets");
    EXPECT_EQ(error_of("udp://[192.0.2.1]"), "\"udp://[192.0.2.1]\": \"192.0.2.1\" is not an IPv6 address");
    for (const auto* text : {"udp://[::1", "udp://[::1]514"})
        EXPECT_NE(error_of(text).find("behind the address stands nothing or a colon and a port"), std::string::npos);
    EXPECT_EQ(error_of("udp://192.0.2.1:0"), "port: 0 is not within 1..65535");
    EXPECT_EQ(error_of("udp://192.0.2.1:65536"), "port: 65536 is not within 1..65535");
    EXPECT_EQ(error_of("udp://192.0.2.1:"), "port: \"\" is not a whole number");
    EXPECT_EQ(error_of("unix://dev/log"), "\"dev/log\" is not an absolute path");
    EXPECT_EQ(error_of("unix:///" + std::string(107, 'a')), "the path of a socket has 107 bytes at most, not 108");
}

}  // namespace syslog_target_test
}  // namespace headgate::config
