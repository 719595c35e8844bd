// SPDX-License-Identifier: GPL-2.0-or-later
#include <cstdlib>
#include <memory>

#include "kernel/own_namespace.h"
#include "rematch/kernel_judge.h"
#include "support/judge_conformance.h"

namespace headgate::testing {
namespace kernel_judge_conformance_test {

/// A gateway between 10.0.1.0/24 and 10.0.2.0/24.
class KernelJudgeEnvironment {
  public:
    KernelJudgeEnvironment() {
        if (!reason_to_skip().empty()) return;
        run(R"(sysctl -qw net.ipv4.ip_forward=1; ip link set lo up
            for link in lan wan; do
                ip link add $link type veth peer name $link-peer; ip link set $link up; ip link set $link-peer up
            done
            ip address add 10.0.1.1/24 dev lan; ip address add 10.0.2.1/24 dev wan)");
        run("nft add table inet filter");
        run("nft 'add chain inet filter forward { type filter hook forward priority 0; policy accept; }'");
    }

    [[nodiscard]] std::string reason_to_skip() const { return namespace_.reason_to_skip(); }
    Judge& judge() { return *judge_; }
    static void drop_by_default() { run("nft 'add chain inet filter forward { policy drop; }'"); }
    static void add_rule(std::uint16_t port, std::string_view verdict) {
        run(fmt::format("nft add rule inet filter forward tcp dport {} {}", port, verdict));
    }
    [[nodiscard]] static std::string candidate(std::uint16_t port, std::string_view verdict) {
        return fmt::format("insert rule inet filter forward tcp dport {} {}\n", port, verdict);
    }
    [[nodiscard]] static Flow flow_to(std::uint16_t port) {
        return tcp_flow().from("10.0.1.2").to("10.0.2.2", port).established();
    }

  private:
    static void run(const std::string& commands) {
        ASSERT_EQ(std::system(("set -e\n" + commands).c_str()), 0) << commands;
    }

    OwnNamespace namespace_;
    std::unique_ptr<Judge> judge_ = rematch::KernelJudge::open({});
};

INSTANTIATE_TYPED_TEST_SUITE_P(Kernel, JudgeConformance, KernelJudgeEnvironment);

}  // namespace kernel_judge_conformance_test
}  // namespace headgate::testing
