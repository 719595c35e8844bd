// SPDX-License-Identifier: GPL-2.0-or-later
// Flows as CSV (RFC 4180), for spreadsheets and databases. Columns are a stable interface: fixed order, names as in
// JSON, prefixed with `translated_` for addresses after NAT. Status bits are separated by spaces, what a verdict
// assumes by semicolons.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

#include "headgate/flow.h"

#include "flow/flow_json.h"

namespace headgate {

/// Whether there are columns for verdicts, after all others: of flows that a rematch has judged.
enum class CsvVerdicts : std::uint8_t { No, Yes };

/// Appends the header line, terminated by CR LF.
void append_flow_csv_header(fmt::memory_buffer& out, CsvVerdicts verdicts = CsvVerdicts::No);

/// Appends one line with its line end. Unknown values are empty. Ages are relative to `moment`.
void append_flow_csv(fmt::memory_buffer& out, const FlowRow& row, const Moment& moment,
                     CsvVerdicts verdicts = CsvVerdicts::No);

/// Appends one value, quoted if it contains commas, quotes or line ends.
void append_csv_text(fmt::memory_buffer& out, std::string_view text);

}  // namespace headgate
