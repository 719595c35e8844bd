// SPDX-License-Identifier: GPL-2.0-or-later
// Flows put into the kernel's table, in addition to the conformance cases for all tables.
#include <linux/netfilter/nf_conntrack_tcp.h>

#include <algorithm>

#include "conntrack/flow_message.h"
#include "kernel/own_namespace.h"
#include "kernel/raw_dump.h"
#include "midstream/nftables.h"
#include "support/flow_builder.h"
#include "support/insert_flows.h"
#include "support/scan_collector.h"

namespace headgate::testing {
namespace kernel_insert_test {

class KernelInsert : public KernelTest {
  protected:
    /// The one flow of the table.
    static Flow only_flow() {
        const auto messages = dump_messages({});
        EXPECT_EQ(messages.size(), 1U);
        return messages.empty() ? Flow{} : conntrack::FlowMessage::parse(messages.front())->decode().value();
    }

    std::pair<Insertion, int> insert(const Flow& flow) {
        std::pair<Insertion, int> told{};
        EXPECT_TRUE(table_->insert({&flow, 1}, [&](const Flow&, Insertion result, int error) {
            told = {result, error};
        }));
        return told;
    }
};

netlink::Bytes find(netlink::Bytes nest, std::uint16_t type) {
    netlink::Attribute attribute;
    for (netlink::AttributeReader reader{nest}; reader.next(attribute);)
        if (attribute.type == type) return attribute.payload;
    return {};
}

TEST_F(KernelInsert, of_a_tcp_flow_has_its_windows_tracked_as_of_one_picked_up_midstream) {
    ASSERT_TRUE(inserted(*table_, std::vector<Flow>{tcp_flow().established()}));
    const auto message = dump_messages({}).front();
    const auto tcp = find(find(netlink::Bytes{message}.subspan(sizeof(nfgenmsg)), CTA_PROTOINFO), CTA_PROTOINFO_TCP);
    for (const auto type : {CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, CTA_PROTOINFO_TCP_FLAGS_REPLY}) {
        const auto flags = find(tcp, type);
        ASSERT_FALSE(flags.empty());
        EXPECT_EQ(std::to_integer<int>(flags[0]), IP_CT_TCP_FLAG_BE_LIBERAL | IP_CT_TCP_FLAG_SACK_PERM);
    }
}

TEST_F(KernelInsert, keeps_the_verification_tags_of_sctp) {
    Flow flow = sctp_flow().in_state(4).established();
    flow.sctp_tags = {0x01020304, 0xFFFFFFFF};
    ASSERT_TRUE(inserted(*table_, {&flow, 1}));
    EXPECT_EQ(only_flow().sctp_tags, flow.sctp_tags);
}

TEST_F(KernelInsert, keeps_translated_ports_of_every_protocol_with_ports_and_translated_ids_of_icmp) {
    std::vector<Flow> flows;
    for (const auto protocol : {Protocol::Tcp, Protocol::Udp, Protocol::Sctp, Protocol::Udplite}) {
        flows.push_back(FlowBuilder{protocol}.leaving_as("192.0.2.9", 61000));
        flows.push_back(FlowBuilder{protocol}.from_port(3).redirected_to("10.0.3.3", 8080));
        flows.push_back(FlowBuilder{protocol}
                            .from("2001:db8:1::2", 5)
                            .to("2001:db8:2::2", 6)
                            .leaving_as("2001:db8:9::9", 61001)
                            .redirected_to("2001:db8:3::3", 8081));
    }
    flows.push_back(icmp_flow().leaving_as("192.0.2.9", 4242));
    flows.push_back(icmpv6_flow().leaving_as("2001:db8:9::9", 4243));
    ASSERT_TRUE(inserted(*table_, flows));
    for (const auto& message : dump_messages({})) {
        const Flow found = conntrack::FlowMessage::parse(message)->decode().value();
        const auto flow = std::ranges::find(flows, found.original, &Flow::original);
        ASSERT_NE(flow, flows.end());
        EXPECT_EQ(found.reply, flow->reply) << to_string(found.original.protocol);
    }
}

TEST_F(KernelInsert, keeps_the_helper) {
    Flow flow = tcp_flow().to_port(21).established();
    flow.helper = {'f', 't', 'p'};
    const auto [result, error] = insert(flow);
    if (error == EOPNOTSUPP) GTEST_SKIP() << "this kernel has no helper for FTP";
    ASSERT_EQ(result, Insertion::Inserted) << error;
    EXPECT_EQ(helper_name(only_flow()), "ftp");
}

TEST_F(KernelInsert, with_a_helper_that_does_not_exist_is_refused) {
    Flow flow = tcp_flow();
    flow.helper = {'n', 'o', 'n', 'e'};
    EXPECT_EQ(insert(flow), std::pair(Insertion::Failed, EOPNOTSUPP));
    EXPECT_TRUE(dump_messages({}).empty());
}

TEST_F(KernelInsert, keeps_labels_where_the_ruleset_sets_some) {
    auto nftables = midstream::Nftables::open();
    ASSERT_TRUE(nftables.has_value());
    if (!nftables->run("add table inet t; add chain inet t c; add rule inet t c ct label set 1")) {
        GTEST_SKIP() << "no rule about labels here";
    }
    Flow flow = tcp_flow();
    flow.labels[0] = std::byte{0x82};
    flow.labels[15] = std::byte{1};
    ASSERT_TRUE(inserted(*table_, {&flow, 1}));
    EXPECT_EQ(only_flow().labels, flow.labels);
}

}  // namespace kernel_insert_test
}  // namespace headgate::testing
