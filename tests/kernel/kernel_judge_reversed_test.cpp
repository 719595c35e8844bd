// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/ctnetlink_requests.h"
#include "kernel/judged_gateway.h"
#include "netlink/socket.h"

namespace headgate::testing {
namespace kernel_judge_reversed_test {

class KernelJudgeReversed : public JudgedGatewayTest {
  protected:
    /// Conntrack treats a flow that was inserted as one that it picked up midstream.
    static void put_back(const std::vector<Flow>& flows) {
        auto socket = netlink::Socket::open().value();
        conntrack::RequestBatch batch;
        for (const auto& flow : flows)
            batch.add_insert(flow, 1);
        ASSERT_TRUE(socket.send(batch.bytes()).has_value());
        std::vector<std::byte> buffer(netlink::kDumpBuffer);
        EXPECT_TRUE(netlink::receive_answers(socket, buffer,
                                             [](const netlink::Message& refusal) { EXPECT_EQ(refusal.error(), 0); }));
    }
};

TEST_F(KernelJudgeReversed, refuses_a_connection_that_was_picked_up_only_if_it_is_whichever_side_began) {
    load(R"(table inet t { chain c { type filter hook forward priority 0;
        tcp dport 80 drop
        tcp dport 81 drop
        tcp sport 81 drop } })");
    const std::vector<Flow> flows{tcp_flow().established(), tcp_flow().to_port(81).established()};
    put_back(flows);
    const auto verdicts = judge_all(flows);
    EXPECT_EQ(summary(verdicts[0]),
              "unknown inet t c \"tcp dport 80 drop\": depends on which side began it: it was "
              "picked up midstream");
    EXPECT_EQ(verdicts[1].result, VerdictResult::Refused);
}

}  // namespace kernel_judge_reversed_test
}  // namespace headgate::testing
