// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/walk/id_seed.h"

#include <algorithm>

#include "conntrack/walk/flow_id.h"

namespace headgate::conntrack {

bool IdSeed::is_possible() const {
    const std::lock_guard lock{mutex_};
    return !fault_;
}

Result<walk_seed> IdSeed::confirmed_by(std::span<const ReportedRow> rows, std::uint64_t network_namespace,
                                       WalkPrograms& programs) {
    const std::lock_guard lock{mutex_};
    if (fault_) return tl::unexpected(*fault_);
    if (rows.empty()) return failed("no flow to compare");
    auto found = find(rows, network_namespace, programs);
    if (found) {
        seed_ = *found;
    } else {
        fault_ = found.error();
    }
    return found;
}

Result<walk_seed> IdSeed::find(std::span<const ReportedRow> rows, std::uint64_t network_namespace,
                               WalkPrograms& programs) const {
    const auto is_right = [&](const walk_seed& seed) {
        return std::ranges::all_of(rows, [&](const ReportedRow& each) {
            return flow_id(each.row, network_namespace, seed) == each.reported.id;
        });
    };
    if (seed_) return is_right(*seed_) ? Result<walk_seed>{*seed_} : failed("a flow has another id than calculated");
    ASSIGN_OR_RETURN(const auto seeds, programs.find_seeds());
    if (seeds.empty()) return failed("conntrack's seed of ids is not to be found (needs CAP_SYSLOG)");
    const auto right = std::ranges::find_if(seeds, is_right);
    if (right == seeds.end()) return failed("conntrack's seed of ids is not to be found");
    return *right;
}

}  // namespace headgate::conntrack
