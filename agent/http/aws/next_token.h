// SPDX-License-Identifier: GPL-2.0-or-later
// NextToken: the position at which a list continues. 1 to 4096 characters of `0-9A-Za-z:/+=`; so the hyphens of names
// and UUIDs are written as slashes, which these never contain. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "headgate/result.h"

namespace headgate::http::aws {

/// `operations:5f0a...`: the list, and the position in it.
[[nodiscard]] std::string next_token(std::string_view list, std::string_view place);

/// Returns the position. An error where this list did not issue the token.
[[nodiscard]] Result<std::string> parse_next_token(std::string_view list, std::string_view token);

}  // namespace headgate::http::aws
