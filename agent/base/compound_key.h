// SPDX-License-Identifier: GPL-2.0-or-later
// Joins several parts, each of which may be any text, to one key.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace headgate {

/// Returns, for example, `rest:token:on-call:4711`. Different parts result in different keys: a colon within a part is
/// written as `%3A`, a percent sign as `%25`.
[[nodiscard]] std::string compound_key(std::initializer_list<std::string_view> parts);

}  // namespace headgate
