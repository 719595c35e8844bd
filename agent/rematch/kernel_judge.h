// SPDX-License-Identifier: GPL-2.0-or-later
// The real Judge: the kernel itself decides, in a copy of the gateway's network and ruleset, about the first packet of
// each connection. A verdict is never read from absence.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "headgate/judge.h"

#include "netlink/network_namespace.h"
#include "rematch/judge_process.h"
#include "rematch/rule_text.h"

// The parts of this room. In the gateway: snapshot.h reads messages of nf_tables and rtnetlink, which bytecode.h and
// gateway_network.h parse. In the judge's process (judge_process.h; its messages: judge_messages.h): world_judge.h
// builds the world (world.h), applies a candidate (candidate.h), and loads (ruleset_loader.h) the ruleset as
// instrumentation.h makes it of what expression_classes.h knows; prober.h sends probes (probe.h) and hears of them
// (trace_event.h) from the chains around the ruleset (own_chains.h); observation.h concludes.

namespace headgate::rematch {

class KernelJudge final : public Judge {
  public:
    /// Needs CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_NET_RAW; without them prepare() fails, but not open().
    [[nodiscard]] static std::unique_ptr<KernelJudge> open(netlink::NetworkNamespace where);

    Result<JudgedRuleset> prepare(const std::optional<std::string>& candidate) override;
    Result<std::vector<FlowVerdict>> judge(std::span<const Flow> flows) override;
    Result<std::uint32_t> generation_now() override;

    /// The process that judges, if there is one.
    [[nodiscard]] std::optional<pid_t> process() const;

  private:
    explicit KernelJudge(netlink::NetworkNamespace where) : namespace_(std::move(where)) {}

    [[nodiscard]] Result<std::vector<FlowVerdict>> ask(std::span<const Question> questions);
    [[nodiscard]] Result<void> doubt_reversed(std::span<const Flow> flows, std::vector<FlowVerdict>& verdicts);
    [[nodiscard]] Result<void> add_texts(std::vector<FlowVerdict>& verdicts);

    netlink::NetworkNamespace namespace_;
    std::optional<JudgeProcess> process_;
    RulesetSource source_ = RulesetSource::InForce;
    RuleTexts texts_;  ///< of rules in force, chain by chain as they are needed
    std::set<std::tuple<std::string, std::string, std::string>> listed_;  ///< family, table, chain
};

}  // namespace headgate::rematch
