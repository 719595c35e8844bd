// SPDX-License-Identifier: GPL-2.0-or-later
// Finds the hash in the kernel's memory: by the kernel's symbols, else by an entry that is made for it in a network
// namespace of its own, else by a flow that is in the table.
#pragma once

#include <cstdint>

#include "headgate/result.h"

#include "conntrack/scan_source.h"
#include "conntrack/walk/walk_programs.h"

namespace headgate::conntrack {

/// Waits a moment for the end of a resize. The place is good until the next one.
[[nodiscard]] Result<walk_place> find_place(WalkPrograms& programs, const ScannedTable& table);

/// Whether the hash may have been resized since it was found. The program itself notices it where it knows the counter
/// of resizes. Otherwise a look-up waits for the end of a resize (nf_conntrack_core.c, nf_conntrack_get_ht), after
/// which the number of buckets is another one.
[[nodiscard]] Result<bool> was_resized(const walk_place& place, const ScannedTable& table);

}  // namespace headgate::conntrack
