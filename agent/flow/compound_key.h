// A key that is made of several parts, each of which may hold any text.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace headgate {

/// `rest:token:on-call:4711`. Different parts make different keys: a colon in one of them is written as `%3A`, a per
/// cent sign as `%25`.
[[nodiscard]] std::string compound_key(std::initializer_list<std::string_view> parts);

}  // namespace headgate
