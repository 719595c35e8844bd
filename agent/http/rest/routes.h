// SPDX-License-Identifier: GPL-2.0-or-later
// The REST routes of the agent.
//
// A new route needs an entry in routes.cpp, a handler, and a description in openapi.yaml, which is embedded: a unit
// test compares the two, and tests/lab/test_rest.py provokes every response in it. Long responses are streamed piece by
// piece.
#pragma once

#include <string_view>

#include "gateway/managed_gateway.h"
#include "http/access/replay_guard.h"
#include "http/metrics/metrics.h"
#include "http/router.h"

namespace headgate::http {

/// The agent's only route table. All arguments must outlive it.
[[nodiscard]] Router make_router(gateway::ManagedGateway& gateway, access::ReplayGuard& replays, Metrics& metrics);

/// The description of all routes, under /v1 and beside it, and of every response: openapi.yaml in this folder (OpenAPI
/// 3.1), which is embedded in the program.
[[nodiscard]] std::string_view openapi_document();

}  // namespace headgate::http
