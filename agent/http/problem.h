// SPDX-License-Identifier: GPL-2.0-or-later
// Errors as HTTP problem details (RFC 9457, application/problem+json), and back to the Error.
#pragma once

#include <string>
#include <string_view>

#include "headgate/result.h"

#include "http/message.h"

namespace headgate::http {

[[nodiscard]] std::string_view reason_of(int status);  ///< `Not Found`

[[nodiscard]] Response problem(int status, std::string_view detail, int number = 0);

/// Invalid becomes 400, or 404 with ENOENT; Refused 409, or 403 with EACCES, 503 with ESHUTDOWN; Failed 500.
[[nodiscard]] Response problem_of(const Error& error);

/// The error in a response whose status is not 2xx.
[[nodiscard]] Error error_of(int status, const std::string& body);

}  // namespace headgate::http
