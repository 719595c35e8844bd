// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/walk/hash_walk.h"

#include <fmt/format.h>

#include <fstream>

#include "conntrack/walk/table_walk.h"

namespace headgate::conntrack {

std::optional<std::uint64_t> HashWalk::walks_from() const {
    const std::lock_guard lock{mutex_};
    return fault_ ? std::nullopt : std::optional{walks_from_};
}

CandidateWalk HashWalk::candidates(const ScannedTable& table, const FlowQuery& query, const Moment& moment,
                                   ScanListener& listener) {
    return [this, &table, &query, &moment, &listener](WalkSink& sink) -> Result<Pass> {
        const auto unsuitable = [&](const Error& why) {
            listener.planned(fmt::format("the hash cannot be walked: {}", why.message));
            return Pass::Unsuitable;
        };
        const auto programs = this->programs();
        if (!programs) return unsuitable(programs.error());
        TableWalk walk{**programs, seed_, table, query, moment, listener, sink};
        auto pass = walk.run();
        if (pass) return pass;
        if (walk.refusal()) return tl::unexpected(*walk.refusal());
        if (pass.error().kind == ErrorKind::Damaged) give_up(pass.error());
        return unsuitable(pass.error());
    };
}

Result<WalkPrograms*> HashWalk::programs() {
    auto ready = load_once();
    if (!ready) give_up(ready.error());
    return ready;
}

Result<WalkPrograms*> HashWalk::load_once() {
    const std::lock_guard lock{mutex_};
    if (fault_) return tl::unexpected(*fault_);
    if (!programs_) {
        ASSIGN_OR_RETURN(programs_, WalkPrograms::load());
    }
    return programs_.get();
}

void HashWalk::give_up(const Error& fault) {
    {
        const std::lock_guard lock{mutex_};
        if (fault_) return;
        fault_ = fault;
    }
    if (report_) report_(fmt::format("fast scans are off, and flow tables are dumped instead: {}", fault.message));
}

std::uint64_t entries_of_host() {
    std::ifstream file{"/sys/kernel/slab/nf_conntrack/objects"};
    std::uint64_t entries = 0;
    file >> entries;  // the numbers of each memory node follow
    return entries;
}

}  // namespace headgate::conntrack
