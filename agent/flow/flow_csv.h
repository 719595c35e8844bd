// Flows as CSV (RFC 4180): for spreadsheets and for databases. Columns are a promise to users: they stay where they
// are, and are named as in JSON, `translated` in front of those behind NAT. Of several status bits a space is between.
#pragma once

#include <fmt/format.h>

#include "headgate/flow.h"

#include "flow/flow_json.h"

namespace headgate {

/// Appends the line of names, with its end (CR LF).
void append_flow_csv_header(fmt::memory_buffer& out);

/// Appends one line with its end. What the kernel did not tell is empty. `moment` is what ages are told against.
void append_flow_csv(fmt::memory_buffer& out, const Flow& flow, const Moment& moment,
                     const FlowAnnotation& annotation = {});

}  // namespace headgate
