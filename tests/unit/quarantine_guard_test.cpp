// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/quarantine_guard.h"

#include <gtest/gtest.h>

namespace headgate::gateway {
namespace quarantine_guard_test {

FlowFilter filter(std::string_view text) {
    return parse_flow_filter(text).value();
}

/// The reason of the refusal; empty if it is permitted.
std::string refusal(std::string_view prefix, const Spared& spared) {
    const auto checked = check_spared(std::vector{parse_prefix(prefix).value()}, spared);
    if (checked) return {};
    EXPECT_EQ(checked.error().kind, ErrorKind::Refused);
    return checked.error().message.substr(0, checked.error().message.find(": nothing was changed"));
}

TEST(QuarantineGuard, spares_the_addresses_of_the_gateway) {
    Spared spared;
    spared.own = {parse_address("192.0.2.1").value(), parse_address("2001:db8::1").value()};
    EXPECT_EQ(refusal("192.0.2.1", spared), "192.0.2.1 is an address of this gateway");
    EXPECT_EQ(refusal("192.0.2.0/24", spared), "192.0.2.0/24 has an address of this gateway, 192.0.2.1");
    EXPECT_EQ(refusal("2001:db8::/32", spared), "2001:db8::/32 has an address of this gateway, 2001:db8::1");
    EXPECT_EQ(refusal("192.0.2.2", spared), "");
}

TEST(QuarantineGuard, spares_loopback_addresses_even_if_the_interface_is_down) {
    EXPECT_EQ(refusal("127.0.0.53", {}), "127.0.0.53 is a loopback address");
    EXPECT_EQ(refusal("::1", {}), "::1 is a loopback address");
}

TEST(QuarantineGuard, spares_the_callers_own_ssh_session_and_address) {
    Spared spared;
    spared.ssh.is_own = true;
    spared.ssh.sessions = {filter("source=198.51.100.9,source-port=50000,destination=192.0.2.1,destination-port=22")};
    EXPECT_TRUE(refusal("198.51.100.0/24", spared).starts_with("198.51.100.0/24 has an end of your SSH session"));
    EXPECT_EQ(refusal("198.51.100.8", spared), "");
    spared.caller = parse_address("203.0.113.5").value();
    EXPECT_EQ(refusal("203.0.113.5", spared), "203.0.113.5 has the address that you work from");
}

TEST(QuarantineGuard, spares_what_the_configuration_protects_by_an_address) {
    Spared spared;
    spared.protected_filters = {filter("source=10.255.0.0/16,destination-port=22"), filter("destination-port=179"),
                                filter("source=0.0.0.0/0,protocol=tcp")};
    EXPECT_TRUE(refusal("10.255.3.4", spared).starts_with("10.255.3.4 is protected: source=10.255.0.0/16"));
    EXPECT_TRUE(refusal("10.0.0.0/8", spared).starts_with("10.0.0.0/8 is protected"));
    EXPECT_EQ(refusal("10.20.0.7", spared), "");
}

}  // namespace quarantine_guard_test
}  // namespace headgate::gateway
