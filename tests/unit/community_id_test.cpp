// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/community_id.h"

#include <gtest/gtest.h>

#include <string>

namespace headgate::flowlog {
namespace community_id_test {

/// A row of the specification's baseline data (baseline/baseline_deflt.json). Ports of ICMP: the type and the type of
/// its reply, or type and code if the type has no reply.
struct Baseline {
    std::uint8_t protocol;
    const char* source;
    const char* destination;
    std::uint16_t source_port;
    std::uint16_t destination_port;
    const char* id;
};

constexpr Baseline kBaseline[] = {
    {58, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 135, 136, "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="},
    {58, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 136, 135, "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="},
    {58, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 135, 136, "1:zavyT/cezQr1fmImYCwYnMXbgck="},
    {58, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 136, 135, "1:zavyT/cezQr1fmImYCwYnMXbgck="},
    {58, "3ffe:501:1800:2345::2", "3ffe:507:0:1:200:86ff:fe05:80da", 3, 0, "1:2ObVBgIn28oZvibYZhZMBgh7WdQ="},
    {58, "3ffe:501:410:0:2c0:dfff:fe47:33e", "3ffe:507:0:1:200:86ff:fe05:80da", 1, 4, "1:hLZd0XGWojozrvxqE0dWB1iM6R0="},
    {58, "3ffe:507:0:1:200:86ff:fe05:80da", "3ffe:501:0:1001::2", 128, 129, "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg="},
    {58, "3ffe:501:0:1001::2", "3ffe:507:0:1:200:86ff:fe05:80da", 129, 128, "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg="},
    {58, "fe80::200:86ff:fe05:80da", "ff02::2", 133, 134, "1:hO+sN4H+MG5MY/8hIrXPqc4ZQz0="},
    {58, "fe80::260:97ff:fe07:69ea", "ff02::1", 134, 133, "1:pkvHqCL88/tg1k4cPigmZXUtL00="},
    {1, "192.168.0.89", "192.168.0.1", 8, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
    {1, "192.168.0.1", "192.168.0.89", 0, 8, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
    {1, "10.0.0.1", "10.0.0.2", 11, 0, "1:YHxtAirCG//0OzkcVAukqKQN9xM="},
    {6, "2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a", 63943, 25,
     "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="},
    {6, "2607:f8b0:400c:c03::1a", "2001:470:e5bf:dead:4957:2174:e82c:4887", 25, 63943,
     "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="},
    {132, "192.168.170.8", "192.168.170.56", 7, 7, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="},
    {132, "192.168.170.56", "192.168.170.8", 7, 7, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="},
    {6, "128.232.110.120", "66.35.250.204", 34855, 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
    {6, "66.35.250.204", "128.232.110.120", 80, 34855, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
    {17, "192.168.1.52", "8.8.8.8", 54585, 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
    {17, "8.8.8.8", "192.168.1.52", 53, 54585, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
    {46, "10.1.12.1", "10.1.12.2", 0, 0, "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw="},
    {46, "10.1.12.2", "10.1.12.1", 0, 0, "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw="},
};

FlowTuple tuple_of(const Baseline& row) {
    FlowTuple tuple;
    tuple.protocol = Protocol{row.protocol};
    tuple.source = parse_address(row.source).value();
    tuple.destination = parse_address(row.destination).value();
    if (is_icmp(tuple.protocol)) {
        tuple.icmp_type = static_cast<std::uint8_t>(row.source_port);
        tuple.icmp_code = static_cast<std::uint8_t>(row.destination_port);
    } else {
        tuple.source_port = row.source_port;
        tuple.destination_port = row.destination_port;
    }
    return tuple;
}

std::string id_of(const FlowTuple& tuple) {
    CommunityId id;
    return std::string{id.of(tuple)};
}

TEST(CommunityId, is_that_of_the_specifications_baseline) {
    CommunityId id;
    for (const auto& row : kBaseline)
        EXPECT_EQ(id.of(tuple_of(row)), row.id) << row.source << " " << row.destination;
}

TEST(CommunityId, is_the_same_from_both_ends) {
    for (const auto& row : kBaseline) {
        const auto tuple = tuple_of(row);
        if (is_icmp(tuple.protocol)) continue;
        EXPECT_EQ(id_of(swapped(tuple)), row.id);
    }
}

TEST(CommunityId, of_one_host_is_ordered_by_ports) {
    const FlowTuple tuple = tuple_of({6, "10.0.0.1", "10.0.0.1", 4711, 80, ""});
    EXPECT_EQ(id_of(tuple), id_of(swapped(tuple)));
}

TEST(CommunityId, of_a_protocol_that_the_specification_has_no_ports_for_is_made_of_the_addresses) {
    EXPECT_EQ(id_of(tuple_of({33, "10.0.0.1", "10.0.0.2", 1, 2, ""})),
              id_of(tuple_of({33, "10.0.0.1", "10.0.0.2", 3, 4, ""})));
    EXPECT_NE(id_of(tuple_of({33, "10.0.0.1", "10.0.0.2", 1, 2, ""})),
              id_of(tuple_of({136, "10.0.0.1", "10.0.0.2", 1, 2, ""})));
}

}  // namespace community_id_test
}  // namespace headgate::flowlog
