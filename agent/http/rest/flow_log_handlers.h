// SPDX-License-Identifier: GPL-2.0-or-later
// The flow log over HTTP: flows that have ended, and those that end from now on.
#pragma once

#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http {

/// In the form that Accept likes best: JSON, NDJSON or server-sent events; 406 where there is none. `reason` (several
/// of them, also with commas between), `filter` and `firewall` choose flows, `latest` says how many that ended before
/// are looked at. With `follow=true`, and always as events, it goes on for as long as somebody listens: then JSON is
/// none of the forms.
[[nodiscard]] Response show_flow_log(gateway::ManagedGateway& gateway, const Request& request);

}  // namespace headgate::http
