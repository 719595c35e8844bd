// NextToken: where a list goes on. 1 to 4096 characters of `0-9A-Za-z:/+=`, so the hyphens of names and UUIDs are
// written as slashes, which they never have. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "headgate/result.h"

namespace headgate::http::aws {

/// `operations:5f0a...`: of which list it is, and the place in it.
[[nodiscard]] std::string next_token(std::string_view list, std::string_view place);

/// The place. An error where the token is none that this list has given.
[[nodiscard]] Result<std::string> parse_next_token(std::string_view list, std::string_view token);

}  // namespace headgate::http::aws
