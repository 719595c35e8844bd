// SPDX-License-Identifier: GPL-2.0-or-later
// The description of all routes, under /v1 and beside it, and of every response: openapi.yaml in this folder, which is
// embedded in the program.
#pragma once

#include <string_view>

namespace headgate::http {

/// YAML, OpenAPI 3.1.
[[nodiscard]] std::string_view openapi_document();

}  // namespace headgate::http
