// SPDX-License-Identifier: GPL-2.0-or-later
// An in-memory judge with one chain of rules, of which the first that matches decides. It and the kernel's pass the
// same conformance cases (judge_conformance.h).
#pragma once

#include <fmt/format.h>

#include <functional>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "headgate/flow_filter.h"
#include "headgate/judge.h"

namespace headgate::testing {

class MemoryJudge final : public Judge {
  public:
    struct Rule {
        FlowFilter filter;
        FlowVerdict verdict;
    };

    // The test's controls. The generation is to be changed with the rules.

    std::vector<Rule> rules;
    bool drops_by_default = false;  ///< the chain's policy
    std::uint32_t generation = 1;
    std::vector<std::string> warnings;
    std::function<Result<void>()> at_judge;  ///< called before flows are judged
    std::vector<std::size_t> windows;        ///< how many flows each call of judge() has had

    /// Appends a rule, `verdict` being `drop`, `reject` or `accept`; its handle is its place.
    void add_rule(std::string_view filter, std::string_view verdict) {
        const auto text = rule_text(filter, verdict);
        rules.push_back({parse_flow_filter(filter).value(), verdict_of(verdict, text, rules.size() + 1).value()});
        ++generation;
    }
    void add_unknown(std::string_view filter, std::string reason) {
        const auto text = rule_text(filter, "drop");
        rules.push_back({parse_flow_filter(filter).value(),
                         {.rule = RuleReference{"inet", "filter", "forward", rules.size() + 1, text},
                          .reason = std::move(reason)}});
        ++generation;
    }
    void add_translated(std::string_view filter, const Translation& then) {
        rules.push_back({parse_flow_filter(filter).value(), {.result = VerdictResult::Translated, .then = then}});
        ++generation;
    }

    /// A candidate's text that inserts rules before the others: a line `FILTER VERDICT` for each.
    static std::string rule_text(std::string_view filter, std::string_view verdict) {
        return fmt::format("{} {}", filter, verdict);
    }

    Result<JudgedRuleset> prepare(const std::optional<std::string>& candidate) override {
        auto judged = rules;
        std::istringstream lines{candidate.value_or("")};
        for (std::string line; std::getline(lines, line);) {
            auto rule = parse_rule(line);
            if (!rule) return make_error(ErrorKind::Unloadable, "syntax error: {}", line);
            judged.insert(judged.begin(), std::move(*rule));
        }
        prepared_ = std::move(judged);
        return JudgedRuleset{candidate ? RulesetSource::Candidate : RulesetSource::InForce, generation, warnings};
    }

    Result<std::vector<FlowVerdict>> judge(std::span<const Flow> flows) override {
        if (!prepared_) return failed("no ruleset was prepared");
        if (at_judge) RETURN_IF_ERROR(at_judge());
        windows.push_back(flows.size());
        std::vector<FlowVerdict> verdicts;
        for (const auto& flow : flows)
            verdicts.push_back(verdict_for(flow));
        return verdicts;
    }

    Result<std::uint32_t> generation_now() override { return generation; }

  private:
    static Result<FlowVerdict> verdict_of(std::string_view word, const std::string& text,
                                          std::optional<std::uint64_t> handle) {
        FlowVerdict verdict{.result = VerdictResult::Refused};
        if (word == "accept") return FlowVerdict{.result = VerdictResult::Allowed};
        ASSIGN_OR_RETURN(verdict.kind, parse_name<RefusalKind>(word));
        verdict.rule = RuleReference{"inet", "filter", "forward", handle, text};
        return verdict;
    }

    static Result<Rule> parse_rule(const std::string& line) {
        const auto space = line.find(' ');
        if (space == std::string::npos) return failed("no verdict");
        ASSIGN_OR_RETURN(auto filter, parse_flow_filter(line.substr(0, space)));
        return verdict_of(line.substr(space + 1), line, std::nullopt).map([&](FlowVerdict&& verdict) {
            return Rule{std::move(filter), std::move(verdict)};
        });
    }

    [[nodiscard]] FlowVerdict verdict_for(const Flow& flow) const {
        for (const auto& [filter, verdict] : *prepared_)
            if (filter.matches(flow)) return verdict;
        if (!drops_by_default) return {.result = VerdictResult::Allowed};
        return {.result = VerdictResult::Refused,
                .kind = RefusalKind::Policy,
                .rule = RuleReference{"inet", "filter", "forward", std::nullopt, "policy drop"}};
    }

    std::optional<std::vector<Rule>> prepared_;
};

}  // namespace headgate::testing
