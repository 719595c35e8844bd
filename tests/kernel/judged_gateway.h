// SPDX-License-Identifier: GPL-2.0-or-later
// A gateway to be judged: a network namespace with two links, routes of both families, and rules.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "kernel/own_namespace.h"
#include "rematch/kernel_judge.h"
#include "support/flow_builder.h"
#include "support/temporary_folder.h"

namespace headgate::testing {

/// `lan` has 10.0.1.1/24 and 2001:db8:1::1/64, `wan` 10.0.2.1/24 and 2001:db8:2::1/64, and the way out.
class JudgedGatewayTest : public ::testing::Test {
  protected:
    void SetUp() override {
        if (!namespace_.reason_to_skip().empty()) GTEST_SKIP() << namespace_.reason_to_skip();
        ASSERT_EQ(std::system(R"(set -e
            sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
            ip link set lo up
            for link in lan wan; do ip link add $link type veth peer name $link-peer; ip link set $link up; ip link set $link-peer up; done
            ip address add 10.0.1.1/24 dev lan; ip address add 2001:db8:1::1/64 dev lan nodad
            ip address add 10.0.2.1/24 dev wan; ip address add 2001:db8:2::1/64 dev wan nodad
            ip route add default via 10.0.2.254; ip route add default via 2001:db8:2::fe)"),
                  0);
    }

    void load_text(const std::string& rules) {
        const auto file = folder_.write("rules", rules);
        ASSERT_EQ(std::system(("nft -f " + file).c_str()), 0);
    }

    /// Likewise, but each brace that closes a block may stand on the line of what is before it.
    void load(std::string rules) {
        for (auto at = rules.find('}'); at != std::string::npos; at = rules.find('}', at + 2))
            rules.insert(at, "\n");
        load_text(rules);
    }

    std::vector<FlowVerdict> judge_all(const std::vector<Flow>& flows,
                                       const std::optional<std::string>& candidate = {}) {
        const auto prepared = judge_->prepare(candidate);
        EXPECT_TRUE(prepared.has_value()) << prepared.error().message;
        if (!prepared) return std::vector<FlowVerdict>(flows.size());
        auto verdicts = judge_->judge(flows);
        EXPECT_TRUE(verdicts.has_value()) << verdicts.error().message;
        return verdicts ? *verdicts : std::vector<FlowVerdict>(flows.size());
    }

    FlowVerdict judge(const Flow& flow, const std::optional<std::string>& candidate = {}) {
        return judge_all({flow}, candidate)[0];
    }

    OwnNamespace namespace_;
    TemporaryFolder folder_;
    std::unique_ptr<rematch::KernelJudge> judge_ = rematch::KernelJudge::open({});
};

/// A verdict in a line: `refused drop inet t c "tcp dport 22 drop"`.
inline std::string summary(const FlowVerdict& verdict) {
    std::string text{to_string(verdict.result)};
    if (verdict.kind) text += fmt::format(" {}", to_string(*verdict.kind));
    if (verdict.rule) {
        text += fmt::format(" {} {} {} \"{}\"", verdict.rule->family, verdict.rule->table, verdict.rule->chain,
                            verdict.rule->text);
    }
    if (verdict.then) {
        text += fmt::format(" {} -> {} {}", to_string(verdict.then->source), to_string(verdict.then->destination),
                            verdict.then->destination_port);
    }
    for (const auto& assumption : verdict.assumes)
        text += fmt::format(" if {}", assumption);
    if (!verdict.reason.empty()) text += fmt::format(": {}", verdict.reason);
    return text;
}

}  // namespace headgate::testing
