// SPDX-License-Identifier: GPL-2.0-or-later
// What is in quarantine, and requests to change it, as JSON, written and parsed; the same on the command line and over
// HTTP. Keys are a stable interface (docs/quarantine.md). Requests are hostile: errors name the member and the rule,
// and unknown members are errors.
#pragma once

#include <fmt/format.h>

#include <string>

#include "headgate/quarantine.h"
#include "headgate/result.h"

#include "gateway/gateway.h"
#include "operations/audit_trail.h"

namespace headgate::gateway {

/// An object without a line end.
void append_quarantine_entry_json(fmt::memory_buffer& out, const QuarantineEntry& entry);

/// `{"firewall": ..., "availability_zone": ..., "quarantine": [...]}`
void append_endpoint_quarantine_json(fmt::memory_buffer& out, const EndpointQuarantine& quarantine);
[[nodiscard]] Result<EndpointQuarantine> read_endpoint_quarantine_json(const std::string& text);

/// The members that the step uses, without endpoint and caller.
[[nodiscard]] std::string quarantine_request_json(operations::QuarantineStep step, const QuarantineRequest& request);

/// On an error, too, `request` has the valid parts, for the record of the refusal.
[[nodiscard]] Result<void> read_quarantine_request_json(operations::QuarantineStep step, const std::string& text,
                                                        QuarantineRequest& request);

}  // namespace headgate::gateway
