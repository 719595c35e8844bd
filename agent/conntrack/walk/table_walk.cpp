// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/walk/table_walk.h"

#include <algorithm>
#include <utility>

#include "conntrack/candidate_lookup.h"
#include "conntrack/walk/walk_filter.h"
#include "conntrack/walk/walk_row.h"

namespace headgate::conntrack {
namespace {

/// Entries of one call, about 0.1 ms: so long may a CPU be kept from other threads. Softirqs go on in any case.
constexpr std::uint32_t kBudget = 1000;

constexpr std::uint32_t kSmallestBlock = 8;

/// Flows that are compared with what conntrack reports; candidates among them, and others of the first entries.
constexpr std::size_t kSamples = 64;
constexpr std::uint64_t kSampledEntries = 100'000;

/// After so many entries it is clear whether a dump would be faster. Hash order is random.
constexpr std::uint64_t kDecidingEntries = 8'000;

/// Of all flows that are walked, other network namespaces' included, which also slow down a dump: a look-up takes about
/// twice the time of a dumped row, and a walk little.
constexpr std::uint64_t kMostCandidatesPercent = 35;

/// A flow may change, end or be replaced between the walk and the look-up, but few do: one, or a quarter.
bool are_too_many(std::size_t different, std::size_t compared) {
    return different > 1 && different * 4 > compared;
}

}  // namespace

Result<Pass> TableWalk::run() {
    RETURN_IF_ERROR(prepare());
    while (request_->next < request_->place.buckets) {
        ASSIGN_OR_RETURN(const auto answer, programs_.walk(*request_, rows_));
        if (answer.status == WALK_PROGRESS && answer.next > request_->next) {
            RETURN_IF_ERROR(take(answer));
        } else {
            ASSIGN_OR_RETURN(const auto pass, recover(answer));
            if (pass == Pass::Resized) return pass;
        }
    }
    ASSIGN_OR_RETURN(const bool resized, was_resized(request_->place, table_));
    if (resized) return Pass::Resized;
    RETURN_IF_ERROR(check_samples());
    RETURN_IF_ERROR(pass_on());
    return Pass::Complete;
}

Result<void> TableWalk::prepare() {
    const auto filter = compile_filter(query_, moment_);
    if (!filter) return failed("too many filters");
    request_->filter = *filter;
    request_->block = WALK_MOST_BUCKETS;
    request_->budget = kBudget;
    request_->samples = kSamples;
    RETURN_IF_ERROR(table_.where.run([&]() -> Result<void> {
        ASSIGN_OR_RETURN(request_->network_namespace, programs_.network_namespace());
        return {};
    }));
    ASSIGN_OR_RETURN(request_->place, find_place(programs_, table_));
    return {};
}

Result<void> TableWalk::take(const walk_answer& answer) {
    request_->next = answer.next;
    const bool was_undecided = entries_ < kDecidingEntries;
    entries_ += answer.entries;
    if (answer.entries > 2 * kBudget && request_->block > kSmallestBlock) request_->block /= 2;
    for (const auto& row : rows_) {
        const auto flow = decode_row(row);
        if (!flow) continue;
        const bool is_candidate = row.is_candidate != 0;
        if (samples_.size() < kSamples) samples_.push_back({*flow, is_candidate});
        if (!is_candidate) continue;
        ++candidates_;
        held_.push_back(candidate_of(*flow));
    }
    const bool wants_samples = entries_ < kSampledEntries && samples_.size() < kSamples;
    request_->samples = wants_samples ? static_cast<std::uint32_t>(kSamples - samples_.size()) : 0;
    if (samples_.size() == kSamples) RETURN_IF_ERROR(check_samples());
    if (entries_ < kDecidingEntries) return {};
    if (was_undecided) RETURN_IF_ERROR(check_share());
    return pass_on();
}

/// From a call that made no progress.
Result<Pass> TableWalk::recover(const walk_answer& answer) {
    ASSIGN_OR_RETURN(const bool resized, was_resized(request_->place, table_));
    if (resized || answer.status == WALK_REPLACED) return Pass::Resized;
    if (answer.status == WALK_UNSTEADY) return failed("flows moved between its buckets all the time");
    if (request_->block <= kSmallestBlock) return failed("too many flows in a few of its buckets");
    request_->block /= 2;
    return Pass::Complete;
}

Result<void> TableWalk::check_share() const {
    const auto flows = entries_ / 2;
    if (candidates_ * 100 <= flows * kMostCandidatesPercent) return {};
    return failed("{} of its first {} flows may match, so a dump is faster", candidates_, flows);
}

/// Against what conntrack reports, by which also the program's filter is judged.
Result<void> TableWalk::check_samples() {
    if (std::exchange(is_checked_, true)) return {};
    std::vector<Candidate> tuples;
    for (const auto& sample : samples_)
        tuples.push_back(candidate_of(sample.flow));
    ASSIGN_OR_RETURN(auto socket, table_.open_socket());
    ASSIGN_OR_RETURN(const auto reported, look_up(socket, tuples));
    std::size_t compared = 0;
    std::size_t different = 0;
    std::string_view part;
    for (std::size_t i = 0; i < samples_.size(); ++i) {
        if (!reported[i]) continue;
        ++compared;
        if (const auto found = difference(samples_[i].flow, *reported[i]); !found.empty()) {
            ++different;
            part = found;
        } else if (!samples_[i].is_candidate && judge(query_, *reported[i], moment_) != Verdict::NoMatch) {
            return make_error(ErrorKind::Damaged, "the program left out a flow that matches");
        }
    }
    if (!are_too_many(different, compared)) return {};
    return make_error(ErrorKind::Damaged, "of {} flows, {} differ from what conntrack reports, one in its {}", compared,
                      different, part);
}

Result<void> TableWalk::pass_on() {
    for (const auto& candidate : held_) {
        if (auto taken = look_up_(candidate); !taken) {
            refusal_ = taken.error();
            return taken;
        }
    }
    held_.clear();
    return {};
}

}  // namespace headgate::conntrack
