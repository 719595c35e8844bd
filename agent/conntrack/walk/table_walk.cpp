// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/walk/table_walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <iterator>
#include <unordered_set>
#include <utility>

#include "conntrack/candidate_lookup.h"
#include "conntrack/walk/walk_filter.h"

namespace headgate::conntrack {
namespace {

/// Entries of one call, about 0.1 ms: so long may a CPU be kept from other threads. Softirqs go on in any case.
constexpr std::uint32_t kBudget = 1000;

constexpr std::uint32_t kSmallestBlock = 8;

/// Flows that are compared with what conntrack reports: the first candidates, and others of the first entries.
constexpr std::size_t kSamples = 64;
constexpr std::uint64_t kSampledEntries = 100'000;

/// After so many entries it is clear whether a dump would be faster. Hash order is random.
constexpr std::uint64_t kDecidingEntries = 8'000;

/// Of all flows that are walked, other network namespaces' included, which also slow down a dump: a look-up takes about
/// twice the time of a dumped row, and a walk little.
constexpr std::uint64_t kMostLookupsPercent = 35;

/// If an entry ends while it is walked, and its memory becomes a flow of the same bucket, the walk comes to the
/// beginning of the bucket once more, within one call. A flow that stays is at the same address then.
void drop_repeated(std::vector<walk_row>& rows, std::size_t first) {
    std::vector<std::uint64_t> entries;
    for (std::size_t i = first; i < rows.size(); ++i)
        entries.push_back(rows[i].entry);
    std::ranges::sort(entries);
    if (std::ranges::adjacent_find(entries) == entries.end()) return;
    std::unordered_set<std::uint64_t> seen;
    const auto repeated = std::remove_if(rows.begin() + static_cast<std::ptrdiff_t>(first), rows.end(),
                                         [&](const walk_row& row) { return !seen.insert(row.entry).second; });
    rows.erase(repeated, rows.end());
}

/// The resolution of the clock that each tick sets is a tick (CONFIG_HZ).
std::uint32_t ticks_per_second() {
    timespec tick{};
    if (::clock_getres(CLOCK_MONOTONIC_COARSE, &tick) != 0 || tick.tv_nsec <= 0) return 1;
    return static_cast<std::uint32_t>((std::nano::den + tick.tv_nsec / 2) / tick.tv_nsec);
}

}  // namespace

Result<Pass> TableWalk::run() {
    RETURN_IF_ERROR(prepare());
    while (request_->next < request_->place.buckets) {
        const auto rows_before = rows_.size();
        ASSIGN_OR_RETURN(const auto answer, programs_.walk(*request_, rows_));
        if (answer.status == WALK_PROGRESS && answer.next > request_->next) {
            RETURN_IF_ERROR(accept(answer, rows_before));
        } else {
            rows_.resize(rows_before);
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
    units_.network_namespace = request_->network_namespace;
    units_.ticks_per_second = ticks_per_second();
    ASSIGN_OR_RETURN(request_->place, find_place(programs_, table_));
    return {};
}

Result<void> TableWalk::accept(const walk_answer& answer, std::size_t rows_before) {
    request_->next = answer.next;
    const bool was_undecided = entries_ < kDecidingEntries;
    entries_ += answer.entries;
    if (answer.entries > 2 * kBudget && request_->block > kSmallestBlock) request_->block /= 2;
    drop_repeated(rows_, rows_before);
    const auto more = std::min(kSamples - samples_.size(), rows_.size() - rows_before);
    std::copy_n(rows_.begin() + static_cast<std::ptrdiff_t>(rows_before), more, std::back_inserter(samples_));
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

/// While all rows are held.
Result<void> TableWalk::check_share() const {
    const auto flows = entries_ / 2;
    const auto lookups = static_cast<std::uint64_t>(
        std::ranges::count_if(rows_, [&](const walk_row& row) { return row.is_candidate != 0 && !is_trusted(row); }));
    if (lookups * 100 <= flows * kMostLookupsPercent) return {};
    return failed("{} of its first {} flows would have to be looked up, so a dump is faster", lookups, flows);
}

/// Against what conntrack reports, by which also the program's filter is judged.
Result<void> TableWalk::check_samples() {
    if (std::exchange(is_checked_, true)) return {};
    ASSIGN_OR_RETURN(const auto compared, reported_rows());
    std::vector<ReportedRow> same;
    std::string_view part;
    for (const auto& each : compared) {
        const auto found = difference(*decode_row(each.row), each.reported);
        if (!found.empty()) {
            part = found;
        } else if (each.row.is_candidate == 0 && judge(query_, each.reported, moment_) != Verdict::NoMatch) {
            return make_error(ErrorKind::Damaged, "the program left out a flow that matches");
        } else {
            same.push_back(each);
        }
    }
    const auto different = compared.size() - same.size();
    if (are_too_many(different, compared.size())) {
        return make_error(ErrorKind::Damaged, "of {} flows, {} differ from what conntrack reports, one in its {}",
                          compared.size(), different, part);
    }
    if (compared.empty()) return {};
    const auto trusted = trust_rows(same);
    trusts_rows_ = trusted.has_value();
    listener_.planned(
        trusted
            ? fmt::format("{} flows are as conntrack reports them, so that the others are not looked up", same.size())
            : fmt::format("each flow is looked up: {}", trusted.error().message));
    return {};
}

/// Samples that conntrack still has.
Result<std::vector<ReportedRow>> TableWalk::reported_rows() const {
    std::vector<walk_row> rows;
    std::vector<Candidate> candidates;
    for (const auto& row : samples_) {
        const auto flow = decode_row(row);
        if (!flow) continue;
        rows.push_back(row);
        candidates.push_back(candidate_of(*flow));
    }
    ASSIGN_OR_RETURN(auto socket, table_.open_socket());
    ASSIGN_OR_RETURN(const auto reported, look_up(socket, candidates));
    std::vector<ReportedRow> found;
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (reported[i]) found.push_back({rows[i], *reported[i]});
    return found;
}

/// If they are equal in every part to what conntrack reports. Errors say why not.
Result<void> TableWalk::trust_rows(std::span<const ReportedRow> rows) {
    ASSIGN_OR_RETURN(units_.seed, seed_.confirmed_by(rows, units_.network_namespace, programs_));
    std::size_t compared = 0;
    std::size_t different = 0;
    std::string_view part;
    for (const auto& [row, reported] : rows) {
        if (!is_whole(row)) continue;
        auto flow = *decode_row(row);
        complete(flow, row, units_);
        ++compared;
        const auto found = difference_in_rest(flow, reported);
        if (found.empty()) continue;
        ++different;
        part = found;
    }
    if (compared > 0 && !are_too_many(different, compared)) return {};
    return compared == 0 ? failed("all have a helper or labels")
                         : failed("of {} flows, {} differ, one in its {}", compared, different, part);
}

Result<void> TableWalk::pass_on() {
    for (const auto& row : rows_) {
        if (row.is_candidate == 0) continue;
        if (auto passed = pass_on(row); !passed) {
            refusal_ = passed.error();
            return passed;
        }
    }
    rows_.clear();
    return {};
}

Result<void> TableWalk::pass_on(const walk_row& row) {
    auto flow = decode_row(row);
    if (!flow) return {};
    if (!is_trusted(row)) return sink_.look_up(candidate_of(*flow));
    complete(*flow, row, units_);
    return sink_.pass(*flow);
}

}  // namespace headgate::conntrack
