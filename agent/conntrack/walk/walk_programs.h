// SPDX-License-Identifier: GPL-2.0-or-later
// The programs in the kernel, and calls of them.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "headgate/flow.h"
#include "headgate/result.h"

#include "conntrack/bpf/programs.h"

namespace headgate::conntrack {

/// Thread-safe: calls wait for each other, each for about 0.1 ms at most.
class WalkPrograms {
  public:
    /// Takes some tens of milliseconds. Unprivileged without CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN.
    [[nodiscard]] static Result<std::unique_ptr<WalkPrograms>> load();
    ~WalkPrograms();
    WalkPrograms(const WalkPrograms&) = delete;
    WalkPrograms& operator=(const WalkPrograms&) = delete;

    /// The address of the calling thread's.
    [[nodiscard]] Result<std::uint64_t> network_namespace();

    /// Where the kernel's symbols say that the hash is. Absent where they are not available: without CAP_SYSLOG, and in
    /// kernels that have no symbols of variables (CONFIG_KALLSYMS_ALL).
    [[nodiscard]] Result<std::optional<walk_place>> find_table();

    /// The address of the hash, by an entry of TCP or UDP, in zone 0, that the calling thread's network namespace has.
    /// Absent if there is no such entry.
    [[nodiscard]] Result<std::optional<std::uint64_t>> find_table_by(const FlowTuple& anchor);

    /// What may be conntrack's seed of ids. None without CAP_SYSLOG, and on other processors than x86-64.
    [[nodiscard]] Result<std::vector<walk_seed>> find_seeds();

    /// Walks a part of the hash, and adds what it found to `rows`.
    [[nodiscard]] Result<walk_answer> walk(const walk_request& request, std::vector<walk_row>& rows);

  private:
    WalkPrograms() = default;

    std::mutex mutex_;
    walk_programs walk_{};
    anchor_program anchor_{};  ///< loaded when it is needed
};

}  // namespace headgate::conntrack
