// A flow as JSON, the same on every face: command line, HTTP, files. Keys are a promise to users (docs/output.md).
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "headgate/flow.h"

namespace headgate {

/// What an operation adds to a flow.
struct FlowAnnotation {
    std::optional<Outcome> outcome;
    int error = 0;  ///< errno of a failed one
};

/// Appends one object without a line end. `moment` is what ages are told against.
void append_flow_json(fmt::memory_buffer& out, const Flow& flow, const Moment& moment,
                      const FlowAnnotation& annotation = {});

/// Appends a quoted string: RFC 8259, section 7. What is not UTF-8 becomes U+FFFD; what a reader does not
/// see is escaped.
void append_json_string(fmt::memory_buffer& out, std::string_view text);

/// JSON of one line, from elsewhere: what a terminal may take for an order is escaped.
void append_without_hidden(fmt::memory_buffer& out, std::string_view json);

/// RFC 3339 with nanoseconds: together with the id it tells a flow from a later one on the same tuple.
void append_start_time(fmt::memory_buffer& out, Timestamp started);

/// `2026-11-21T09:30:00.123Z`
[[nodiscard]] std::string to_rfc3339(Timestamp time);

/// UTC with `Z` and up to nine digits of a second's fraction, as this file writes it.
[[nodiscard]] Result<Timestamp> parse_rfc3339(std::string_view text);

}  // namespace headgate
