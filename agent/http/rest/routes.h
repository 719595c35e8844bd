// SPDX-License-Identifier: GPL-2.0-or-later
// The REST routes of the agent.
//
// A new route needs an entry in routes.cpp, a handler, and a description in openapi.yaml, which is embedded: a unit
// test compares the two, and tests/lab/test_rest.py provokes every response in it. Long responses are streamed piece by
// piece (result_handlers.cpp, operation_events.cpp, flow_log_stream.cpp).
#pragma once

#include "gateway/managed_gateway.h"
#include "http/access/replay_guard.h"
#include "http/metrics/metrics.h"
#include "http/router.h"

namespace headgate::http {

/// The agent's only route table. All arguments must outlive it.
[[nodiscard]] Router make_router(gateway::ManagedGateway& gateway, access::ReplayGuard& replays, Metrics& metrics);

}  // namespace headgate::http
