// SPDX-License-Identifier: GPL-2.0-or-later
// Prints a flow as JSON, identically for the command line, HTTP and files. Keys are a stable interface
// (docs/output.md).
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "headgate/flow.h"

namespace headgate {

/// Appends one object without a newline. Ages are relative to `moment`.
void append_flow_json(fmt::memory_buffer& out, const FlowRow& row, const Moment& moment);

/// Appends a quoted string (RFC 8259, section 7). Invalid UTF-8 becomes U+FFFD; invisible characters are escaped.
void append_json_string(fmt::memory_buffer& out, std::string_view text);

/// Appends one line of JSON from another source; escapes characters that a terminal may interpret.
void append_without_hidden(fmt::memory_buffer& out, std::string_view json);

/// RFC 3339 with nanoseconds: with the id it distinguishes a flow from a later one with the same tuple.
void append_start_time(fmt::memory_buffer& out, Timestamp started);

/// RFC 3339 with milliseconds: `2026-11-21T09:30:00.123Z`.
[[nodiscard]] std::string to_rfc3339(Timestamp time);

/// Parses UTC with `Z` and up to nine fractional digits, as the functions above print it.
[[nodiscard]] Result<Timestamp> parse_rfc3339(std::string_view text);

}  // namespace headgate
