// SPDX-License-Identifier: GPL-2.0-or-later
// Judges flows in a network namespace of its own: builds the world, loads the instrumented ruleset, sends probes, and
// concludes. What it works on may come from anyone.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "headgate/judge.h"
#include "headgate/result.h"

#include "rematch/judge_messages.h"
#include "rematch/prober.h"

namespace headgate::rematch {

class WorldJudge {
  public:
    /// In the calling thread's network namespace, which must be a new one. `receive_room`: bytes of the kernel's
    /// reports that may wait.
    [[nodiscard]] static Result<std::unique_ptr<WorldJudge>> open(const Preparation& preparation,
                                                                  int receive_room = 64 << 20);

    [[nodiscard]] Result<std::vector<FlowVerdict>> judge(std::span<const Question> questions);

    /// What is not judged, in words.
    [[nodiscard]] const std::vector<std::string>& warnings() const noexcept { return warnings_; }

  private:
    WorldJudge() = default;

    void note_blind_spots(const GatewayNetwork& network, const Snapshot& snapshot,
                          const std::vector<std::string>& faults);
    [[nodiscard]] Result<void> judge_window(std::span<const Question> questions, std::vector<FlowVerdict>& verdicts);
    [[nodiscard]] Result<std::vector<FlowVerdict>> judge_distinct(std::span<const Question> questions);
    [[nodiscard]] std::string key_of(Question question) const;
    [[nodiscard]] Result<std::vector<Observation>> observe(std::span<const Question> questions);
    [[nodiscard]] Result<void> ask(std::span<const Question> questions, std::span<const std::size_t> which,
                                   const PassOptions& options, std::span<Observation> seen);
    [[nodiscard]] Result<void> compare_world(std::span<const Question> questions, std::span<const std::size_t> which,
                                             const PassOptions& options, std::string_view difference,
                                             std::span<FlowVerdict> verdicts);
    [[nodiscard]] JudgedBy judged_by() const noexcept { return {ruleset_, instrumented_}; }

    RulesetBytecode ruleset_;
    InstrumentedRuleset instrumented_;
    std::optional<Prober> prober_;
    std::vector<std::string> warnings_;
    bool asks_source_ports_ = true;                         ///< routes or rules may depend on them
    std::unordered_map<std::string, FlowVerdict> answers_;  ///< by key_of(question)
    std::string hides_everything_;                          ///< why no flow can be judged; empty: nothing
    std::string hides_acceptance_;  ///< why an accepted packet may be dropped after all; empty: nothing
};

}  // namespace headgate::rematch
