// SPDX-License-Identifier: GPL-2.0-or-later
// Errors as HTTP problem details (RFC 9457, application/problem+json), and back to the Error.
#pragma once

#include <string>
#include <string_view>

#include "headgate/result.h"

#include "http/message.h"

namespace headgate::http {

[[nodiscard]] std::string_view reason_of(int status);  ///< `Not Found`

[[nodiscard]] Response problem(int status, const Error& error);
[[nodiscard]] Response problem(int status, std::string_view detail);  ///< of the most general kind with the status

/// With the status of the error's kind (base/error_kinds.h).
[[nodiscard]] Response problem_of(const Error& error);

/// The error in a response whose status is not 2xx. If it names no kind that is known here, the status determines it.
[[nodiscard]] Error error_of(int status, const std::string& body);

}  // namespace headgate::http
