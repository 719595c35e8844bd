// SPDX-License-Identifier: GPL-2.0-or-later
// The judge in this process, with a buffer for the kernel's reports that is too small.
#include "kernel/judged_gateway.h"
#include "rematch/world_judge.h"

namespace headgate::testing {
namespace kernel_world_judge_test {

class KernelWorldJudge : public JudgedGatewayTest {
  protected:
    /// Verdicts on flows to ports from 1 on.
    std::vector<FlowVerdict> judge_ports(std::uint16_t count, int receive_room) {
        rematch::Preparation preparation;
        preparation.snapshot = rematch::read_snapshot().value();
        EXPECT_EQ(::unshare(CLONE_NEWNET), 0);
        auto judge = rematch::WorldJudge::open(preparation, receive_room);
        EXPECT_TRUE(judge.has_value()) << judge.error().message;
        if (!judge) return {};
        std::vector<rematch::Question> questions;
        for (std::uint16_t port = 1; port <= count; ++port)
            questions.push_back(rematch::question_of(tcp_flow().to_port(port)));
        return (*judge)->judge(questions).value();
    }
};

TEST_F(KernelWorldJudge, guesses_nothing_when_reports_are_lost) {
    load("table inet t { chain c { type filter hook forward priority 0; tcp dport 1-500 drop; } }");
    constexpr int kRoomForOneReport = 2048;
    const auto verdicts = judge_ports(1000, kRoomForOneReport);
    ASSERT_EQ(verdicts.size(), 1000U);
    std::size_t lost = 0;
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
        const auto& verdict = verdicts[i];
        if (verdict.reason == "reports of the kernel were lost") {
            ++lost;
            continue;
        }
        EXPECT_EQ(verdict.result, i < 500 ? VerdictResult::Refused : VerdictResult::Allowed) << summary(verdict);
    }
    EXPECT_GT(lost, 0U) << "the buffer was large enough";
}

TEST_F(KernelWorldJudge, loses_none_with_room_enough) {
    load("table inet t { chain c { type filter hook forward priority 0; tcp dport 1-500 drop; } }");
    std::size_t refused = 0;
    std::size_t allowed = 0;
    for (const auto& verdict : judge_ports(1000, 64 << 20)) {
        refused += verdict.result == VerdictResult::Refused ? 1U : 0U;
        allowed += verdict.result == VerdictResult::Allowed ? 1U : 0U;
    }
    EXPECT_EQ(refused, 500U);
    EXPECT_EQ(allowed, 500U);
}

}  // namespace kernel_world_judge_test
}  // namespace headgate::testing
