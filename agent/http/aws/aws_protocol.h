// SPDX-License-Identifier: GPL-2.0-or-later
// AWS Network Firewall's API (version 2020-11-12), in AWS JSON 1.0: `POST /` with the action in the header
// X-Amz-Target, for the AWS CLI and SDKs with --endpoint-url. Specification:
// https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html. Thread-safe.
//
// aws_protocol.cpp has the table of actions, aws_error.h the errors. shapes.h parses and writes members, scope.h finds
// what they refer to, and one file per subject answers (actions.h).
#pragma once

#include "gateway/managed_gateway.h"
#include "http/access/replay_guard.h"
#include "http/message.h"

namespace headgate::http {

/// Always returns a response, with the route `aws:StartFlowFlush` for example, or `aws:unknown`. The request's
/// permissions apply. The caller has checked method and path, and authenticated the client.
[[nodiscard]] Response carry_out_aws(gateway::ManagedGateway& gateway, access::ReplayGuard& replays,
                                     const Request& request);

}  // namespace headgate::http
