// SPDX-License-Identifier: GPL-2.0-or-later
// Translates a query for the program that walks the hash. Pure.
#pragma once

#include <memory>

#include "headgate/flow_query.h"

#include "conntrack/bpf/walk_memory.h"

namespace headgate::conntrack {

/// Lets every flow pass that the query matches, and few others: those that only bytes, packets, several prefixes of one
/// address or DCCP's state leave out. Null if the query has more filters than the program takes.
[[nodiscard]] std::unique_ptr<walk_filter> compile_filter(const FlowQuery& query, const Moment& moment);

}  // namespace headgate::conntrack
