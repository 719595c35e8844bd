// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/ctnetlink_requests.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include <memory>

#include "netlink/messages.h"
#include "support/flow_builder.h"

namespace headgate::conntrack {
namespace ctnetlink_requests_test {

using namespace headgate::testing;

/// A request as libnetfilter_conntrack, an independent parser of the same format, decodes it.
struct ReadByLibrary {
    struct Free {
        void operator()(nf_conntrack* owned) const { nfct_destroy(owned); }
    };
    explicit ReadByLibrary(const RequestBatch& batch) : entry(nfct_new()) {
        const auto* const header = reinterpret_cast<const nlmsghdr*>(batch.bytes().data());
        understood = nfct_nlmsg_parse(header, entry.get()) == 0;
    }
    std::unique_ptr<nf_conntrack, Free> entry;
    bool understood = false;
};

std::vector<netlink::Message> messages_in(const RequestBatch& batch) {
    std::vector<netlink::Message> messages;
    netlink::Message message;
    for (netlink::MessageReader reader{batch.bytes()}; reader.next(message);)
        messages.push_back(message);
    return messages;
}

TEST(Requests, a_delete_names_tuple_zone_and_id) {
    RequestBatch batch;
    const Flow flow = tcp_flow().from("10.0.1.2", 4711).to("10.0.2.2", 80).in_zone(5).with_id(0x01020304);
    batch.add_delete(flow, 9);
    const ReadByLibrary read{batch};
    ASSERT_TRUE(read.understood);
    EXPECT_EQ(nfct_get_attr_u32(read.entry.get(), ATTR_ORIG_IPV4_SRC), htonl(0x0A000102));
    EXPECT_EQ(nfct_get_attr_u32(read.entry.get(), ATTR_ORIG_IPV4_DST), htonl(0x0A000202));
    EXPECT_EQ(nfct_get_attr_u16(read.entry.get(), ATTR_ORIG_PORT_SRC), htons(4711));
    EXPECT_EQ(nfct_get_attr_u16(read.entry.get(), ATTR_ORIG_PORT_DST), htons(80));
    EXPECT_EQ(nfct_get_attr_u8(read.entry.get(), ATTR_ORIG_L4PROTO), IPPROTO_TCP);
    EXPECT_EQ(nfct_get_attr_u16(read.entry.get(), ATTR_ZONE), 5);
    EXPECT_EQ(nfct_get_attr_u32(read.entry.get(), ATTR_ID), 0x01020304U);
    const auto message = messages_in(batch).front();
    EXPECT_EQ(message.header.nlmsg_type, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE);
    EXPECT_EQ(message.header.nlmsg_flags, NLM_F_REQUEST | NLM_F_ECHO);
    EXPECT_EQ(message.header.nlmsg_seq, 9U);
}

TEST(Requests, an_insert_carries_state_status_mark_and_nat) {
    RequestBatch batch;
    const Flow flow = tcp_flow()
                          .from("2001:db8:1::2", 1000)
                          .to("2001:db8:2::2", 443)
                          .established()
                          .with_mark(7)
                          .leaving_as("2001:db8:9::9", 6000);
    batch.add_insert(flow, 1);
    const ReadByLibrary read{batch};
    ASSERT_TRUE(read.understood);
    EXPECT_EQ(nfct_get_attr_u8(read.entry.get(), ATTR_TCP_STATE), 3);  // ESTABLISHED
    EXPECT_EQ(nfct_get_attr_u32(read.entry.get(), ATTR_STATUS),
              static_cast<std::uint32_t>(IPS_CONFIRMED | IPS_SEEN_REPLY | IPS_ASSURED));
    EXPECT_EQ(nfct_get_attr_u32(read.entry.get(), ATTR_MARK), 7U);
    EXPECT_EQ(nfct_get_attr_u32(read.entry.get(), ATTR_TIMEOUT), 600U);
    // The kernel sets up NAT from the translation attributes; the reply tuple is the untranslated one.
    EXPECT_EQ(nfct_get_attr_u16(read.entry.get(), ATTR_REPL_PORT_DST), htons(1000));
    bool snat = false;
    netlink::Attribute attribute;
    for (netlink::AttributeReader reader{messages_in(batch).front().payload.subspan(sizeof(nfgenmsg))};
         reader.next(attribute);) {
        snat = snat || attribute.type == CTA_NAT_SRC;
    }
    EXPECT_TRUE(snat);
}

TEST(Requests, an_insert_carries_labels_helper_and_the_flags_of_windows_that_are_not_enforced) {
    Flow flow = tcp_flow().to_port(21).established();
    flow.labels[1] = std::byte{1};
    flow.helper = {'f', 't', 'p'};
    RequestBatch batch;
    batch.add_insert(flow, 1);
    const ReadByLibrary read{batch};
    ASSERT_TRUE(read.understood);
    EXPECT_STREQ(static_cast<const char*>(nfct_get_attr(read.entry.get(), ATTR_HELPER_NAME)), "ftp");
    const auto* const labels = static_cast<const nfct_bitmask*>(nfct_get_attr(read.entry.get(), ATTR_CONNLABELS));
    ASSERT_NE(labels, nullptr);
    EXPECT_EQ(nfct_bitmask_test_bit(labels, 8), 1);
    constexpr int kLiberalWithSack = 0x08 | 0x02;  // IP_CT_TCP_FLAG_BE_LIBERAL, IP_CT_TCP_FLAG_SACK_PERM
    EXPECT_EQ(nfct_get_attr_u8(read.entry.get(), ATTR_TCP_FLAGS_ORIG), kLiberalWithSack);
    EXPECT_EQ(nfct_get_attr_u8(read.entry.get(), ATTR_TCP_FLAGS_REPL), kLiberalWithSack);
}

TEST(Requests, a_dump_filters_by_mark_status_zone_family_and_protocol) {
    KernelFilter filter;
    filter.family = Family::Ipv6;
    filter.protocol = Protocol::Udp;
    filter.mark = MarkMatch{1, 0xFF};
    filter.status = StatusMatch{2, 2};
    filter.zone = std::uint16_t{3};
    RequestBatch batch;
    batch.add_dump(filter, 1);
    const auto message = messages_in(batch).front();
    EXPECT_EQ(message.header.nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
    EXPECT_EQ(std::to_integer<int>(message.payload[0]), AF_INET6);
    std::vector<int> types;
    netlink::Attribute attribute;
    for (netlink::AttributeReader reader{message.payload.subspan(sizeof(nfgenmsg))}; reader.next(attribute);) {
        types.push_back(attribute.type);
    }
    EXPECT_EQ(types, (std::vector<int>{CTA_MARK, CTA_MARK_MASK, CTA_STATUS, CTA_STATUS_MASK, CTA_ZONE, CTA_TUPLE_ORIG,
                                       CTA_FILTER}));
}

TEST(Requests, an_unfiltered_dump_has_no_attributes_and_no_family) {
    RequestBatch batch;
    batch.add_dump({}, 1);
    EXPECT_EQ(batch.bytes().size(), sizeof(nlmsghdr) + sizeof(nfgenmsg));
    EXPECT_EQ(std::to_integer<int>(messages_in(batch).front().payload[0]), AF_UNSPEC);
}

TEST(Requests, only_the_last_of_a_batch_is_acknowledged) {
    RequestBatch batch;
    for (std::uint32_t i = 0; i < 100; ++i)
        batch.add_delete(tcp_flow(), i);
    batch.acknowledge_last();
    const auto messages = messages_in(batch);
    ASSERT_EQ(messages.size(), 100U);
    for (const auto& message : messages) {
        EXPECT_EQ((message.header.nlmsg_flags & NLM_F_ACK) != 0, message.header.nlmsg_seq == 99);
    }
    batch.clear();
    EXPECT_TRUE(batch.bytes().empty());
}

TEST(Requests, an_icmp_tuple_has_type_code_and_id) {
    RequestBatch batch;
    batch.add_delete(icmpv6_flow().with_id(1), 1);
    const ReadByLibrary read{batch};
    ASSERT_TRUE(read.understood);
    EXPECT_EQ(nfct_get_attr_u8(read.entry.get(), ATTR_ICMP_TYPE), 128);
    EXPECT_EQ(nfct_get_attr_u16(read.entry.get(), ATTR_ICMP_ID), htons(7));
}

}  // namespace ctnetlink_requests_test
}  // namespace headgate::conntrack
