// SPDX-License-Identifier: GPL-2.0-or-later
// Responses of the AWS API. Errors have the form that every client maps to the right type:
// `{"__type": "com.amazonaws.networkfirewall#...", "Message": "..."}`.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "headgate/result.h"

#include "http/message.h"

namespace headgate::http {

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
