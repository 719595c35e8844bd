// SPDX-License-Identifier: GPL-2.0-or-later
#include "rematch/probe.h"

#include <gtest/gtest.h>

#include "rematch/trace_event.h"
#include "support/bytecode_builder.h"
#include "support/flow_builder.h"

namespace headgate::testing {
namespace probe_test {

using rematch::ProbeKind;

constexpr std::uint32_t kCookie = 0x12345678;

/// What the kernel would report of a probe: the network header, and 20 bytes behind it.
std::optional<rematch::SeenProbe> read_back(const FlowTuple& tuple, std::size_t transport_bytes = 20) {
    std::array<std::uint8_t, rematch::kLongestProbe> packet{};
    const auto length = rematch::write_probe(tuple, kCookie, ProbeKind::Silent, packet);
    const std::size_t header = tuple.source.family == Family::Ipv4 ? 20 : 40;
    if (length < header) return std::nullopt;
    const auto bytes = std::as_bytes(std::span{packet});
    return rematch::read_probe(bytes.first(header), bytes.subspan(header, transport_bytes));
}

TEST(Probe, carries_its_flow_and_its_number) {
    const FlowTuple tuples[] = {
        tcp_flow(),
        udp_flow(),
        FlowBuilder{Protocol::Sctp},
        FlowBuilder{Protocol::Udplite},
        FlowBuilder{Protocol::Icmp}.echo(7),
        tcp_flow().from("2001:db8::1").to("2001:db8::2"),
        FlowBuilder{Protocol::Icmpv6}.from("2001:db8::1").to("2001:db8::2").echo(7),
    };
    for (const auto& tuple : tuples) {
        const auto seen = read_back(tuple);
        ASSERT_TRUE(seen.has_value()) << to_string(tuple.protocol);
        EXPECT_EQ(seen->tuple, tuple) << to_string(tuple.protocol);
        EXPECT_EQ(seen->cookie, kCookie);
    }
}

TEST(Probe, is_not_made_for_connections_whose_first_packet_is_not_known) {
    std::array<std::uint8_t, rematch::kLongestProbe> packet{};
    for (const auto protocol : {Protocol::Dccp, Protocol::Gre, Protocol{0}, Protocol{43}, Protocol{50}}) {
        const FlowTuple tuple = FlowBuilder{protocol};
        EXPECT_EQ(rematch::write_probe(tuple, kCookie, ProbeKind::Silent, packet), 0U);
    }
    FlowTuple reply = FlowBuilder{Protocol::Icmp}.echo(7);
    reply.icmp_type = 0;
    EXPECT_EQ(rematch::write_probe(reply, kCookie, ProbeKind::Silent, packet), 0U);
}

TEST(Probe, is_not_read_from_headers_that_are_cut_short) {
    for (std::size_t length = 0; length < 14; ++length)
        EXPECT_FALSE(read_back(tcp_flow(), length).has_value()) << length;
    EXPECT_FALSE(read_back(FlowBuilder{Protocol::Sctp}, 19).has_value());
    EXPECT_FALSE(rematch::read_probe({}, {}).has_value());
}

TEST(Probe, is_told_from_a_reset_that_answers_it) {
    std::array<std::uint8_t, rematch::kLongestProbe> packet{};
    const auto length = rematch::write_probe(tcp_flow(), kCookie, ProbeKind::Silent, packet);
    packet[20 + 13] = 0x14;
    const auto bytes = std::as_bytes(std::span{packet}).first(length);
    EXPECT_FALSE(rematch::read_probe(bytes.first(20), bytes.subspan(20)).has_value());
}

class TraceMessage {
  public:
    explicit TraceMessage(std::uint32_t type) {
        writer_.begin(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE, 0);
        writer_.netfilter(NFPROTO_INET);
        writer_.big_endian(NFTA_TRACE_TYPE, type);
        writer_.text(NFTA_TRACE_TABLE, "t");
        writer_.text(NFTA_TRACE_CHAIN, "c");
        writer_.big_endian<std::uint64_t>(NFTA_TRACE_RULE_HANDLE, 9);
        writer_.big_endian<std::uint32_t>(NFTA_TRACE_ID, 77);
        writer_.nest(NFTA_TRACE_VERDICT, [&] { writer_.big_endian<std::uint32_t>(NFTA_VERDICT_CODE, NF_DROP); });
        writer_.end();
    }
    [[nodiscard]] netlink::Message message() const {
        netlink::Message message;
        EXPECT_TRUE(netlink::MessageReader{writer_.bytes()}.next(message));
        return message;
    }

  private:
    netlink::MessageWriter writer_;
};

TEST(TraceEvent, has_the_rule_and_its_verdict) {
    const TraceMessage written{NFT_TRACETYPE_RULE};
    const auto event = rematch::parse_trace_event(written.message());
    ASSERT_TRUE(event.has_value());
    EXPECT_EQ(event->kind, rematch::TraceKind::Rule);
    EXPECT_EQ(event->table, "t");
    EXPECT_EQ(event->chain, "c");
    EXPECT_EQ(event->rule_handle, 9U);
    EXPECT_EQ(event->packet, 77U);
    EXPECT_EQ(event->verdict, NF_DROP);
    EXPECT_FALSE(event->has_headers);
}

TEST(TraceEvent, of_an_unknown_kind_is_none) {
    const TraceMessage written{99};
    EXPECT_FALSE(rematch::parse_trace_event(written.message()).has_value());
}

TEST(TraceEvent, is_not_read_past_the_end_of_a_message) {
    const TraceMessage written{NFT_TRACETYPE_RULE};
    auto message = written.message();
    const auto whole = message.payload;
    for (std::size_t length = 0; length <= whole.size(); ++length) {
        message.payload = whole.first(length);
        static_cast<void>(rematch::parse_trace_event(message));
    }
}

}  // namespace probe_test
}  // namespace headgate::testing
