// SPDX-License-Identifier: GPL-2.0-or-later
// The flow log over HTTP: flows that have ended, and flows that end while the client reads.
#pragma once

#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http {

/// Answers in the form that Accept prefers: JSON, NDJSON or server-sent events; 406 if it accepts none. `reason`
/// (repeatable, or a list with commas), `filter`, `firewall`, `since`, `until`, `user` and `operation` select flows;
/// `latest` limits the number of those that ended before the request. With `follow=true`, and always as events, the
/// stream continues until the client disconnects; JSON is then not offered.
[[nodiscard]] Response show_flow_log(const Request& request, gateway::EndedFlows& ended_flows);

}  // namespace headgate::http
