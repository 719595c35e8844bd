// SPDX-License-Identifier: GPL-2.0-or-later
// Records of ended flows on their way to somebody who listens.
#pragma once

#include <chrono>
#include <cstdint>

#include "gateway/gateway.h"
#include "http/message.h"

namespace headgate::http {

enum class RecordForm : std::uint8_t {
    Json,    ///< `{"records":[RECORD,...]}`
    Ndjson,  ///< a record a line
    Events,  ///< server-sent events (WHATWG HTML, section 9.2): `event: ended`, the record as its data
};

struct RecordPace {
    std::chrono::milliseconds keep_alive{15'000};  ///< a comment among events, where there is none for so long
};

/// What has come is sent whenever the gateway begins to wait for more, so that nobody waits for a full buffer; whoever
/// follows has the head of the answer by then, too.
[[nodiscard]] Result<void> send_records(gateway::Gateway& gateway, const gateway::EndedFlowQuery& query,
                                        RecordForm form, const RecordPace& pace, const BodySink& send);

}  // namespace headgate::http
