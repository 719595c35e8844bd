// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/walk/walk_programs.h"

#include <algorithm>

#include "conntrack/bpf/run_program.h"

namespace headgate::conntrack {

Result<std::unique_ptr<WalkPrograms>> WalkPrograms::load() {
    std::unique_ptr<WalkPrograms> programs{new WalkPrograms};
    if (const int fault = load_walk_programs(&programs->walk_); fault != 0) return not_loaded(fault);
    return programs;
}

WalkPrograms::~WalkPrograms() {
    if (walk_.unload != nullptr) walk_.unload(&walk_);
    if (anchor_.unload != nullptr) anchor_.unload(&anchor_);
}

Result<std::uint64_t> WalkPrograms::network_namespace() {
    const std::lock_guard lock{mutex_};
    RETURN_IF_ERROR(run_program(walk_.find_network_namespace));
    return *walk_.network_namespace;
}

Result<std::optional<walk_place>> WalkPrograms::find_table() {
    const std::lock_guard lock{mutex_};
    RETURN_IF_ERROR(run_program(walk_.find_table));
    if (walk_.place->table == 0) return std::nullopt;
    return *walk_.place;
}

Result<std::optional<std::uint64_t>> WalkPrograms::find_table_by(const FlowTuple& anchor) {
    const std::lock_guard lock{mutex_};
    if (anchor_.unload == nullptr) {
        if (const int fault = load_anchor_program(&anchor_); fault != 0) return not_loaded(fault);
    }
    *anchor_.request = key_of(anchor, 0);
    RETURN_IF_ERROR(run_on_packet(anchor_.find_anchor));
    if (anchor_.answer->table == 0) return std::nullopt;
    return anchor_.answer->table;
}

Result<std::vector<walk_seed>> WalkPrograms::find_seeds() {
    const std::lock_guard lock{mutex_};
    RETURN_IF_ERROR(run_program(walk_.find_seeds));
    const std::size_t found = std::min<std::size_t>(walk_.seeds->count, WALK_MOST_SEEDS);
    return std::vector<walk_seed>{walk_.seeds->seed, walk_.seeds->seed + found};
}

Result<walk_answer> WalkPrograms::walk(const walk_request& request, std::vector<walk_row>& rows) {
    const std::lock_guard lock{mutex_};
    *walk_.request = request;
    RETURN_IF_ERROR(run_program(walk_.walk));
    const std::size_t found = std::min<std::size_t>(walk_.answer->rows, WALK_MOST_ROWS);
    rows.insert(rows.end(), walk_.rows->row, walk_.rows->row + found);
    return *walk_.answer;
}

}  // namespace headgate::conntrack
