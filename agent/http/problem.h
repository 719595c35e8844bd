// What went wrong, as HTTP tells it (RFC 9457, application/problem+json), and back to the Error that it was.
#pragma once

#include <string>
#include <string_view>

#include "headgate/result.h"

#include "http/message.h"

namespace headgate::http {

[[nodiscard]] std::string_view reason_of(int status);  ///< `Not Found`

[[nodiscard]] Answer problem(int status, std::string_view detail, int number = 0);

/// Invalid is 400, or 404 where what was asked for is not there (ENOENT); Refused is 409, 403 with EACCES, 503
/// with ESHUTDOWN; Failed is 500.
[[nodiscard]] Answer problem_of(const Error& error);

/// The error that an answer of another status than 2xx tells.
[[nodiscard]] Error error_of(int status, const std::string& body);

}  // namespace headgate::http
