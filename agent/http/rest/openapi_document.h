// SPDX-License-Identifier: GPL-2.0-or-later
// The description of everything under /v1, of what is beside it, and of every answer: openapi.yaml in this folder,
// which is part of the program.
#pragma once

#include <string_view>

namespace headgate::http {

/// YAML, OpenAPI 3.1.
[[nodiscard]] std::string_view openapi_document();

}  // namespace headgate::http
