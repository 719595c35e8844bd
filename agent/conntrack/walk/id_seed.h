// SPDX-License-Identifier: GPL-2.0-or-later
// Conntrack's seed of ids, found in the kernel's memory.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <span>

#include "headgate/flow.h"
#include "headgate/result.h"

#include "conntrack/walk/walk_programs.h"

namespace headgate::conntrack {

/// A row of a walk, and what conntrack reported about the same flow a moment later.
struct ReportedRow {
    walk_row row{};
    Flow reported;
};

/// Chosen anew when conntrack is loaded, so once a process is enough. Thread-safe.
class IdSeed {
  public:
    /// The seed by which each of these rows has the id that conntrack reported. Errors say why there is none: then,
    /// unless there were no rows, there will never be one.
    [[nodiscard]] Result<walk_seed> confirmed_by(std::span<const ReportedRow> rows, std::uint64_t network_namespace,
                                                 WalkPrograms& programs);

    /// False after a fault.
    [[nodiscard]] bool is_possible() const;

  private:
    [[nodiscard]] Result<walk_seed> find(std::span<const ReportedRow> rows, std::uint64_t network_namespace,
                                         WalkPrograms& programs) const;

    mutable std::mutex mutex_;
    std::optional<walk_seed> seed_;
    std::optional<Error> fault_;
};

}  // namespace headgate::conntrack
