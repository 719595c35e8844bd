// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/verdict_tally.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/text.h"
#include "operations/packed_verdict.h"

namespace headgate::operations {
namespace {

constexpr std::string_view kCutMark = "...";

void cut(std::string& text) {
    if (text.size() <= VerdictTally::kLongestText) return;
    text = std::string{front_of(text, VerdictTally::kLongestText - kCutMark.size())}.append(kCutMark);
}

void cut_texts(FlowVerdict& verdict) {
    cut(verdict.reason);
    if (verdict.rule) cut(verdict.rule->text);
    for (auto& each : verdict.assumes)
        cut(each);
}

/// Absent if the kernel counted none.
std::optional<std::uint64_t> bytes_in_both_directions(const Flow& flow) {
    if (!flow.counters_original && !flow.counters_reply) return std::nullopt;
    return flow.counters_original.value_or(Counters{}).bytes + flow.counters_reply.value_or(Counters{}).bytes;
}

PackedBytes key_of(const FlowVerdict& verdict) {
    PackedBytes key;
    append_verdict(key, verdict);
    return key;
}

/// Those with most flows first. Returns how many were left out.
template <typename Listed>
std::size_t keep_most(std::vector<Listed>& listed) {
    std::ranges::stable_sort(listed, [](const Listed& a, const Listed& b) { return a.flows > b.flows; });
    const auto left_out = listed.size() - std::min(listed.size(), VerdictTally::kMostListed);
    listed.resize(listed.size() - left_out);
    return left_out;
}

}  // namespace

SharedVerdict VerdictTally::count(const Flow& flow, FlowVerdict verdict) {
    ++*counts_.at(static_cast<std::size_t>(verdict.result));
    if (verdict == *allowed_) return allowed_;
    cut_texts(verdict);
    if (verdict.then) return SharedVerdict{std::move(verdict)};
    auto& tallied = others_[key_of(verdict)];
    if (!tallied.verdict) tallied.verdict = SharedVerdict{std::move(verdict)};
    ++tallied.flows;
    if (const auto bytes = bytes_in_both_directions(flow)) tallied.bytes = tallied.bytes.value_or(0) + *bytes;
    return tallied.verdict;
}

void VerdictTally::update(OperationCounts& counts) const {
    counts.verdicts = counts_;
}

void VerdictTally::conclude(FlowOperation& operation) const {
    update(operation.counts);
    for (const auto& [key, tallied] : others_) {
        const auto& verdict = *tallied.verdict;
        if (verdict.result == VerdictResult::Refused) {
            operation.refused_by.push_back({verdict.rule.value_or(RuleReference{}),
                                            verdict.kind.value_or(RefusalKind::Drop), tallied.flows, tallied.bytes});
        } else if (verdict.result == VerdictResult::Unknown) {
            operation.unknown_reasons.push_back({verdict.reason, verdict.rule, tallied.flows});
        }
    }
    if (const auto left_out = keep_most(operation.refused_by); left_out != 0) {
        operation.warnings.push_back(
            fmt::format("{} more rules refuse flows than the {} that are listed", left_out, kMostListed));
    }
    if (const auto left_out = keep_most(operation.unknown_reasons); left_out != 0) {
        operation.warnings.push_back(
            fmt::format("{} more reasons for unknown verdicts than the {} that are listed", left_out, kMostListed));
    }
}

}  // namespace headgate::operations
