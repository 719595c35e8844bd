// SPDX-License-Identifier: GPL-2.0-or-later
// Text forms of a flow for tables and messages.
#pragma once

#include <string>

#include "headgate/flow.h"

namespace headgate::cli {

[[nodiscard]] std::string source_text(const FlowTuple& tuple);       ///< `10.0.1.2:4711`, `[2001:db8::2]:4711`
[[nodiscard]] std::string destination_text(const FlowTuple& tuple);  ///< for ICMP the address, type, code and id
[[nodiscard]] std::string amount_text(std::uint64_t bytes);          ///< `512 B`, `1.5 KiB`, `200 MiB`

[[nodiscard]] std::string plural(std::uint64_t count, std::string_view what);  ///< `1 flow`, `2 flows`

/// `tcp 10.0.1.2:4711 -> 10.0.2.2:80 ESTABLISHED`
[[nodiscard]] std::string one_line(const Flow& flow);

}  // namespace headgate::cli
