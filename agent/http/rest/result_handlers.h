// SPDX-License-Identifier: GPL-2.0-or-later
// The flows of an operation over HTTP, however many there are: as JSON, NDJSON or CSV.
#pragma once

#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http {

/// In the form that Accept likes best; 406 where there is none. `cursor` and `limit` in the query choose a page of
/// them; where the page is not the last, the answer has the cursor of the next: in JSON as its member, else in the
/// header X-Next-Cursor. Those of a capture in progress are the ones found so far; a flush in progress is a 409.
[[nodiscard]] Response show_results(gateway::ManagedGateway& gateway, const Request& request);

}  // namespace headgate::http
