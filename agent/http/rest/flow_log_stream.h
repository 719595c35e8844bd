// SPDX-License-Identifier: GPL-2.0-or-later
// Streams records of ended flows to an HTTP client.
#pragma once

#include <chrono>
#include <cstdint>

#include "gateway/gateway.h"
#include "http/message.h"

namespace headgate::http {

enum class RecordForm : std::uint8_t {
    Json,    ///< `{"records":[RECORD,...]}`
    Ndjson,  ///< one record per line
    Events,  ///< server-sent events (WHATWG HTML, section 9.2): `event: ended`, the record as its data
};

struct RecordPace {
    std::chrono::milliseconds keep_alive{15'000};  ///< after this time without an event, a comment is sent
};

/// Sends buffered records whenever the gateway begins to wait for more, so that the client does not wait for a full
/// buffer. With `follow`, the head of the response is sent by then, too.
[[nodiscard]] Result<void> send_records(gateway::EndedFlows& ended_flows, const gateway::EndedFlowQuery& query,
                                        RecordForm form, const RecordPace& pace, const BodySink& send);

}  // namespace headgate::http
