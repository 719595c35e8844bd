// SPDX-License-Identifier: GPL-2.0-or-later
#include "rematch/observation.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "rematch/expressions.h"

namespace headgate::rematch {
namespace {

constexpr std::uint32_t kExpected = 1;  // IPS_EXPECTED

FlowVerdict unknown(std::string reason) {
    FlowVerdict verdict;
    verdict.reason = std::move(reason);
    return verdict;
}

bool drops(const RuleBytecode& rule) {
    return std::ranges::any_of(rule.expressions, [](const Expression& e) { return verdict_of(e) == NF_DROP; });
}

bool rejects(const RuleBytecode& rule) {
    return std::ranges::any_of(rule.expressions, [](const Expression& e) {
        return e.name == "reject" || (e.name == "target" && text_in(e.data, NFTA_TARGET_NAME) == "REJECT");
    });
}

bool looks_up_verdict(const RuleBytecode& rule) {
    return std::ranges::any_of(rule.expressions, [](const Expression& e) {
        return e.name == "lookup" && has(e.data, NFTA_LOOKUP_DREG) &&
               number_in(e.data, NFTA_LOOKUP_DREG) == NFT_REG_VERDICT;
    });
}

/// How the rule refuses; absent if it does not, and the packet was dropped because something else in it failed, such as
/// a translation without a free port.
std::optional<RefusalKind> refusal_of(const RuleBytecode& rule) {
    if (rejects(rule)) return RefusalKind::Reject;
    if (drops(rule) || looks_up_verdict(rule)) return RefusalKind::Drop;
    return std::nullopt;
}

/// What tripped wires mean for a flow.
struct Doubts {
    const Tripwire* undecided = nullptr;  ///< the first that leaves the verdict unknown
    const Tripwire* exceeded = nullptr;   ///< the first by which the flow might be allowed after all
    std::vector<std::string> assumes;
    bool mark_matters = false;
};

class TripwireReader {
  public:
    TripwireReader(const Question& question, const Observation& seen, MarkWorld world, const JudgedBy& judged_by)
        : question_(question), seen_(seen), world_(world), judged_by_(judged_by) {}

    [[nodiscard]] Doubts read() && {
        for (const auto index : seen_.tripped) {
            const auto& tripwire = judged_by_.instrumented.tripwires[index];
            if ((tripwire.expression.ways & seen_.way) != 0) add(tripwire);
        }
        return std::move(doubts_);
    }

  private:
    void add(const Tripwire& tripwire) {
        const auto& rule = judged_by_.ruleset.rules[tripwire.rule];
        switch (tripwire.expression.treatment) {
            case Treatment::OverLimit:
                // Refused below the limit and, by this rule, above it.
                if (drops(rule) || rejects(rule)) return assume(tripwire, " is not exceeded");
                [[fallthrough]];
            case Treatment::Limit:
                if (doubts_.exceeded == nullptr) doubts_.exceeded = &tripwire;
                return assume(tripwire, " is not exceeded");
            case Treatment::PacketMark:
                if (doubts_.exceeded == nullptr) doubts_.exceeded = &tripwire;
                return assume(tripwire, " is not set by the socket");
            case Treatment::CtMark:
                if (question_.mark == 0 || world_ == MarkWorld::Marked) return;
                // A probe of a local socket cannot carry the mark past routing.
                if ((seen_.way & packet_way::kOutput) != 0) return leave_undecided(tripwire);
                doubts_.mark_matters = true;
                return;
            case Treatment::CtLabels:
                if (question_.has_labels) leave_undecided(tripwire);
                return;
            case Treatment::SetWrite:
                written_.insert({rule.family, rule.table + ' ' + tripwire.expression.set});
                return;
            case Treatment::SetRead:
                if (written_.contains({rule.family, rule.table + ' ' + tripwire.expression.set})) {
                    leave_undecided(tripwire);
                }
                return;
            default:
                return leave_undecided(tripwire);
        }
    }

    void assume(const Tripwire& tripwire, std::string_view condition) {
        auto text = tripwire.expression.reason + std::string{condition};
        if (std::ranges::find(doubts_.assumes, text) == doubts_.assumes.end()) {
            doubts_.assumes.push_back(std::move(text));
        }
    }

    void leave_undecided(const Tripwire& tripwire) {
        if (doubts_.undecided == nullptr) doubts_.undecided = &tripwire;
    }

    const Question& question_;
    const Observation& seen_;
    MarkWorld world_;
    const JudgedBy& judged_by_;
    Doubts doubts_;
    std::set<std::pair<std::uint8_t, std::string>> written_;
};

FlowVerdict depends_on(const Tripwire& tripwire, const JudgedBy& judged_by) {
    auto verdict = unknown("depends on " + tripwire.expression.reason);
    verdict.rule = reference_to(judged_by.ruleset.rules[tripwire.rule]);
    return verdict;
}

FlowVerdict refused(const Drop& drop, const Doubts& doubts, const JudgedBy& judged_by) {
    if (doubts.exceeded != nullptr) return depends_on(*doubts.exceeded, judged_by);
    FlowVerdict verdict;
    verdict.result = VerdictResult::Refused;
    if (!drop.rule) {
        verdict.kind = RefusalKind::Policy;
        verdict.rule = RuleReference{family_name(drop.family), drop.table, drop.chain, std::nullopt, "policy drop"};
        return verdict;
    }
    const auto& rule = judged_by.ruleset.rules[*drop.rule];
    verdict.kind = refusal_of(rule);
    if (!verdict.kind) verdict = unknown("dropped by a rule that does not refuse, such as a translation that failed");
    verdict.rule = reference_to(rule);
    return verdict;
}

/// Another source port alone does not count: it is chosen anew each time.
bool goes_as_before(const FlowTuple& arrived, const FlowTuple& reply) {
    return arrived.source == reply.destination && arrived.destination == reply.source &&
           (is_icmp(arrived.protocol) || arrived.destination_port == reply.source_port);
}

FlowVerdict accepted(const FlowTuple& arrived, Doubts doubts, const Question& question) {
    FlowVerdict verdict;
    verdict.assumes = std::move(doubts.assumes);
    verdict.result = VerdictResult::Allowed;
    if (goes_as_before(arrived, question.reply)) return verdict;
    verdict.result = VerdictResult::Translated;
    verdict.then = Translation{arrived.source, arrived.destination,
                               is_icmp(arrived.protocol) ? std::uint16_t{0} : arrived.destination_port};
    return verdict;
}

}  // namespace

RuleReference reference_to(const RuleBytecode& rule) {
    RuleReference reference{family_name(rule.family), rule.table, rule.chain, std::nullopt, rule.text};
    if (rule.handle != 0) reference.handle = rule.handle;
    return reference;
}

Conclusion conclude(const Question& question, const Observation& seen, MarkWorld world, const JudgedBy& judged_by) {
    if (!seen.fault.empty()) return {unknown(seen.fault)};
    if ((question.status & kExpected) != 0) return {unknown("expected by another connection, of a helper")};
    if (question.zone != 0 && !judged_by.instrumented.sets_zones) {
        return {unknown("in a conntrack zone that no rule assigns")};
    }
    auto doubts = TripwireReader{question, seen, world, judged_by}.read();
    const bool mark_matters = doubts.mark_matters;
    if (doubts.undecided != nullptr) return {depends_on(*doubts.undecided, judged_by), mark_matters};
    if (seen.arrived && !seen.drop) return {accepted(*seen.arrived, std::move(doubts), question), mark_matters};
    if (seen.drop && !seen.arrived) return {refused(*seen.drop, doubts, judged_by), mark_matters};
    if (seen.drop) return {unknown("seen both accepted and dropped")};
    return {unknown(seen.last_chain.empty() ? "does not reach the rules" : "lost on its way after " + seen.last_chain)};
}

}  // namespace headgate::rematch
