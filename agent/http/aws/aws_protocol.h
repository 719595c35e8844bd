// SPDX-License-Identifier: GPL-2.0-or-later
// AWS Network Firewall's API (version 2020-11-12), in AWS JSON 1.0: `POST /` with the action in the header
// X-Amz-Target, for the AWS CLI and SDKs with --endpoint-url. Specification:
// https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html. Errors have the form that every client maps to the
// right type: `{"__type": "com.amazonaws.networkfirewall#...", "Message": "..."}`. Thread-safe.
//
// aws_protocol.cpp has the table of actions. shapes.h parses and writes members, scope.h finds what they refer to, and
// one file per subject answers (actions.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "headgate/result.h"

#include "gateway/managed_gateway.h"
#include "http/access/replay_guard.h"
#include "http/message.h"

namespace headgate::http {

/// Always returns a response, with the route `aws:StartFlowFlush` for example, or `aws:unknown`. The request's
/// permissions apply. The caller has checked method and path, and authenticated the client.
[[nodiscard]] Response carry_out_aws(gateway::ManagedGateway& gateway, access::ReplayGuard& replays,
                                     const Request& request);

/// The errors of AWS Network Firewall, then those common to all AWS services (API reference, "Common errors").
enum class AwsFault : std::uint8_t {
    InvalidRequest,         ///< 400 InvalidRequestException
    InvalidToken,           ///< 400 InvalidTokenException
    ResourceNotFound,       ///< 400 ResourceNotFoundException
    Throttling,             ///< 400 ThrottlingException, with Retry-After: clients retry by themselves
    InternalServerError,    ///< 500
    AccessDenied,           ///< 403 AccessDeniedException
    UnrecognizedClient,     ///< 403 UnrecognizedClientException
    IncompleteSignature,    ///< 403
    InvalidSignature,       ///< 403 InvalidSignatureException
    RequestExpired,         ///< 400
    RequestEntityTooLarge,  ///< 413 RequestEntityTooLargeException
    UnknownOperation,       ///< 404 UnknownOperationException
    ServiceUnavailable,     ///< 503, with Retry-After
};

/// A successful response. The body is a JSON object.
[[nodiscard]] Response aws_answer(std::string body);

[[nodiscard]] Response aws_error(AwsFault fault, std::string_view message,
                                 std::chrono::seconds retry_after = std::chrono::seconds{1});

/// The error's kind determines the fault (base/error_kinds.h).
[[nodiscard]] Response aws_error_of(const Error& error);

}  // namespace headgate::http
