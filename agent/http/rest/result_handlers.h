// SPDX-License-Identifier: GPL-2.0-or-later
// The flows of an operation over HTTP, in any number: as JSON, NDJSON or CSV.
#pragma once

#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http {

/// Answers in the form that Accept prefers; 406 if it accepts none. `cursor` and `limit` in the query select a page.
/// Unless the page is the last, the response has the cursor of the next one: in JSON as a member, otherwise in the
/// header X-Next-Cursor. A capture in progress yields the flows found so far; a flush in progress is a 409.
[[nodiscard]] Response show_results(const Request& request, gateway::FlowOperations& operations);

}  // namespace headgate::http
