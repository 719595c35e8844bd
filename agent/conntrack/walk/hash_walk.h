// SPDX-License-Identifier: GPL-2.0-or-later
// Flows from conntrack's hash, which programs in the kernel walk: many times as fast as a dump, which formats each
// entry. They are reported as the programs read them where that is shown to be what conntrack reports. Otherwise they
// are candidates, and LookupSource asks conntrack for each.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "headgate/flow_query.h"
#include "headgate/flow_table.h"
#include "headgate/result.h"

#include "conntrack/lookup_source.h"
#include "conntrack/walk/id_seed.h"
#include "conntrack/walk/table_place.h"
#include "conntrack/walk/walk_programs.h"

namespace headgate::conntrack {

/// From how many entries of the host a walk is faster than a dump: for a command, which loads the programs for one
/// scan, and for the agent, which loads them once.
inline constexpr std::uint64_t kCommandWalksFrom = 20'000;
inline constexpr std::uint64_t kAgentWalksFrom = 1'000;

/// The walks of a process. The programs are loaded for the first one; after a fault there are no more. Thread-safe.
class HashWalk {
  public:
    /// `report` receives one line when walks turn out to be impossible.
    explicit HashWalk(std::uint64_t walks_from, std::function<void(std::string_view)> report = {})
        : walks_from_(walks_from), report_(std::move(report)) {}

    /// Absent after a fault.
    [[nodiscard]] std::optional<std::uint64_t> walks_from() const;

    /// Whether flows may be reported as the programs read them; false once they turned out to differ.
    [[nodiscard]] bool may_trust_rows() const { return seed_.is_possible(); }

    /// Passes on each flow in the table that the query may match, and some others; tells `listener` whether they are
    /// looked up, and why if another source is needed. All references must outlive the walk.
    [[nodiscard]] CandidateWalk candidates(const ScannedTable& table, const FlowQuery& query, const Moment& moment,
                                           ScanListener& listener);

  private:
    [[nodiscard]] Result<WalkPrograms*> programs();
    [[nodiscard]] Result<WalkPrograms*> load_once();
    void give_up(const Error& fault);

    const std::uint64_t walks_from_;
    const std::function<void(std::string_view)> report_;
    mutable std::mutex mutex_;
    std::unique_ptr<WalkPrograms> programs_;
    std::optional<Error> fault_;
    IdSeed seed_;
};

/// The entries of all network namespaces, which share the hash, as the kernel's memory allocator counts them, roughly;
/// 0 if that cannot be read, which root alone may.
[[nodiscard]] std::uint64_t entries_of_host();

}  // namespace headgate::conntrack
