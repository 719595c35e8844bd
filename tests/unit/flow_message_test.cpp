// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/flow_message.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "conntrack/ctnetlink_requests.h"
#include "netlink/messages.h"
#include "support/flow_builder.h"
#include "support/kernel_messages.h"

namespace headgate::conntrack {
namespace flow_message_test {

using namespace headgate::testing;
using namespace std::chrono_literals;

constexpr Timestamp kStart{1'795'000'000'123'456'789ns};

std::vector<Flow> flows_of_every_kind() {
    Flow ended = tcp_flow().established().with_id(9).started_at(kStart).with_bytes(1, 2);
    ended.stopped = kStart + 5s;
    Flow bare = udp_flow().with_id(3);
    bare.mark.reset();
    bare.timeout.reset();
    Flow helped = sctp_flow().with_id(10).in_state(4);
    helped.sctp_tags = {1, 0xFFFFFFFF};
    helped.labels.back() = std::byte{0x80};
    helped.helper = {'n', 'e', 't', 'b', 'i', 'o', 's', '-', 'n', 's'};
    return {
        tcp_flow().from("10.0.1.2", 4711).to("10.0.2.2", 80).established().with_id(1).with_mark(7).with_bytes(10, 20),
        tcp_flow().with_id(2).leaving_as("192.0.2.1", 5).redirected_to("10.9.9.9", 6).in_state(7),
        udp_flow().from("2001:db8:1::2", 1).to("2001:db8:2::2", 53).with_id(0xFFFFFFFF).in_zone(65535),
        icmp_flow().with_id(4),
        icmpv6_flow().with_id(5).in_zone(6, ZoneDirection::Original),
        sctp_flow().with_id(6).in_state(4).in_zone(7, ZoneDirection::Reply),
        ended,
        bare,
        helped,
    };
}

Result<Flow> decode(netlink::Bytes payload) {
    return FlowMessage::parse(payload).and_then([](const FlowMessage& message) { return message.decode(); });
}

TEST(FlowMessage, has_everything_that_the_kernel_sent) {
    for (const auto& flow : flows_of_every_kind()) {
        const auto decoded = decode(KernelMessage{flow}.payload());
        ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
        EXPECT_EQ(*decoded, flow) << flow.id;
    }
}

TEST(FlowMessage, decodes_what_a_6_18_kernel_sent) {
    // Recorded from a dump: an established TCP flow, masqueraded, in zone 5, with counters and timestamp.
    constexpr unsigned char kRecorded[] = {
        0x02, 0x00, 0x00, 0x00,                                                  // AF_INET
        0x34, 0x00, 0x01, 0x80, 0x14, 0x00, 0x01, 0x80, 0x08, 0x00, 0x01, 0x00,  // CTA_TUPLE_ORIG, CTA_TUPLE_IP
        0x0a, 0x00, 0x01, 0x02, 0x08, 0x00, 0x02, 0x00, 0x0a, 0x00, 0x02, 0x02, 0x1c, 0x00, 0x02, 0x80,
        0x05, 0x00, 0x01, 0x00, 0x06, 0x00, 0x00, 0x00,  // CTA_TUPLE_PROTO
        0x06, 0x00, 0x02, 0x00, 0x9c, 0x40, 0x00, 0x00, 0x06, 0x00, 0x03, 0x00, 0x00, 0x50, 0x00, 0x00,
        0x34, 0x00, 0x02, 0x80, 0x14, 0x00, 0x01, 0x80, 0x08, 0x00, 0x01, 0x00,  // CTA_TUPLE_REPLY
        0x0a, 0x00, 0x02, 0x02, 0x08, 0x00, 0x02, 0x00, 0x0a, 0x00, 0x02, 0x01, 0x1c, 0x00, 0x02, 0x80,
        0x05, 0x00, 0x01, 0x00, 0x06, 0x00, 0x00, 0x00, 0x06, 0x00, 0x02, 0x00, 0x00, 0x50, 0x00, 0x00,
        0x06, 0x00, 0x03, 0x00, 0x9c, 0x40, 0x00, 0x00, 0x06, 0x00, 0x12, 0x00, 0x00, 0x05, 0x00, 0x00,  // CTA_ZONE 5
        0x08, 0x00, 0x03, 0x00, 0x00, 0x00, 0x01, 0x9e,                                                  // CTA_STATUS
        0x08, 0x00, 0x07, 0x00, 0x00, 0x06, 0x97, 0x80,  // CTA_TIMEOUT 432000
        0x1c, 0x00, 0x09, 0x80, 0x0c, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03,
        0x0c, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xa4,  // CTA_COUNTERS_ORIG
        0x30, 0x00, 0x04, 0x80, 0x2c, 0x00, 0x01, 0x80, 0x05, 0x00, 0x01, 0x00, 0x03, 0x00, 0x00, 0x00,
        0x05, 0x00, 0x02, 0x00, 0x07, 0x00, 0x00, 0x00, 0x05, 0x00, 0x03, 0x00, 0x07, 0x00, 0x00, 0x00,
        0x06, 0x00, 0x04, 0x00, 0x23, 0x00, 0x00, 0x00, 0x06, 0x00, 0x05, 0x00, 0x33, 0x00, 0x00, 0x00,
        0x08, 0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x2a,  // CTA_MARK 42
        0x08, 0x00, 0x0c, 0x00, 0x38, 0x2a, 0x61, 0x09,  // CTA_ID
        0x08, 0x00, 0x0b, 0x00, 0x00, 0x00, 0x00, 0x01,  // CTA_USE
    };
    const auto flow = decode(std::as_bytes(std::span{kRecorded}));
    ASSERT_TRUE(flow.has_value()) << flow.error().message;
    EXPECT_EQ(to_string(flow->original.source), "10.0.1.2");
    EXPECT_EQ(flow->original.source_port, 40000);
    EXPECT_EQ(to_string(translated(*flow).source), "10.0.2.1");
    EXPECT_EQ(flow->zone, 5);
    EXPECT_EQ(flow->timeout, 432000s);
    EXPECT_EQ(flow->counters_original, (Counters{3, 164}));
    EXPECT_EQ(flow->counters_reply, std::nullopt);
    EXPECT_EQ(protocol_state_name(*flow), "ESTABLISHED");
    EXPECT_EQ(flow->mark, 42U);
    EXPECT_EQ(flow->id, 0x382a6109U);
    EXPECT_EQ(flow->started, std::nullopt);
}

TEST(FlowMessage, that_is_cut_short_anywhere_is_an_error_or_has_fewer_parts) {
    for (const auto& flow : flows_of_every_kind()) {
        const auto whole = KernelMessage{flow}.payload();
        for (std::size_t size = 0; size < whole.size(); ++size) {
            const std::vector<std::byte> cut{whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)};
            const auto decoded = decode(cut);
            if (decoded) {
                EXPECT_EQ(decoded->original, flow.original);
            }
        }
    }
}

TEST(FlowMessage, of_any_bytes_is_survived) {
    std::mt19937 random{7};
    const auto flows = flows_of_every_kind();
    for (int i = 0; i < 50'000; ++i) {
        auto bytes = KernelMessage{flows[random() % flows.size()]}.payload();
        for (auto changes = 1 + random() % 8; changes > 0; --changes) {
            bytes[random() % bytes.size()] = static_cast<std::byte>(random());
        }
        const auto message = FlowMessage::parse(bytes);
        if (!message) continue;
        static_cast<void>(message->decode());
    }
}

TEST(FlowMessage, names_what_is_missing) {
    const auto whole = KernelMessage{tcp_flow().with_id(1)}.payload();
    EXPECT_EQ(decode({}).error().message, "conntrack message: neither IPv4 nor IPv6");
    EXPECT_EQ(decode(netlink::Bytes{whole}.first(4)).error().message, "conntrack message: no CTA_TUPLE_ORIG");
    auto lying = whole;
    lying[4] = std::byte{0xFF};
    lying[5] = std::byte{0xFF};
    EXPECT_EQ(decode(lying).error().message, "conntrack message: an attribute is longer than the message");
}

TEST(FlowMessage, of_a_later_event_brings_a_flow_up_to_date) {
    Flow flow = tcp_flow().established().with_id(1).with_mark(5).with_bytes(10, 20).started_at(kStart);
    Flow last = flow;
    last.mark.reset();  // an event has the mark only if it is not 0
    last.timeout.reset();
    last.counters_original = Counters{100, 5000};
    last.protocol_state = std::uint8_t{7};
    last.stopped = kStart + 60s;
    const auto bytes = KernelMessage{last}.payload();
    FlowMessage::parse(bytes)->update(flow);
    EXPECT_EQ(flow.mark, 5U);
    EXPECT_EQ(flow.timeout, 600s);
    EXPECT_EQ(flow.counters_original, (Counters{100, 5000}));
    EXPECT_EQ(protocol_state_name(flow), "TIME_WAIT");
    EXPECT_EQ(flow.stopped, kStart + 60s);
}

TEST(FlowMessage, a_delete_names_the_flow_by_the_bytes_with_which_the_kernel_does) {
    for (const auto& flow : flows_of_every_kind()) {
        RequestBatch batch;
        batch.add_delete(flow, 1);
        const auto sent = batch.bytes().subspan(sizeof(nlmsghdr));
        const auto identity = identity_in(KernelMessage{flow}.payload());
        EXPECT_TRUE(std::ranges::equal(sent.subspan(sizeof(nfgenmsg)), identity)) << flow.id;
    }
}

TEST(MessageReader, stops_at_a_message_that_is_longer_than_its_buffer) {
    std::vector<std::byte> buffer(64);
    nlmsghdr header{};
    header.nlmsg_len = 32;
    std::memcpy(buffer.data(), &header, sizeof header);
    header.nlmsg_len = 33;
    std::memcpy(buffer.data() + 32, &header, sizeof header);
    netlink::MessageReader reader{buffer};
    netlink::Message message;
    EXPECT_TRUE(reader.next(message));
    EXPECT_FALSE(reader.next(message));
    EXPECT_FALSE(reader.at_end());
}

}  // namespace flow_message_test
}  // namespace headgate::conntrack
