// Writes the structures of AWS's answers.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <string_view>

#include "headgate/flow.h"

#include "flow/json_members.h"

namespace headgate::http::aws {

/// One object: `fill(JsonMembers&)` writes what is in it.
template <typename Fill>
[[nodiscard]] std::string json_of(const Fill& fill) {
    fmt::memory_buffer out;
    out.push_back('{');
    JsonMembers members{out};
    fill(members);
    out.push_back('}');
    return fmt::to_string(out);
}

/// A number, seconds since 1970 with milliseconds; of a text the JavaScript SDK would make an exception.
inline void add_timestamp(JsonMembers& members, std::string_view name, Timestamp time) {
    const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
    members.number(name, fmt::format("{:.3f}", static_cast<double>(milliseconds) / 1000));
}

}  // namespace headgate::http::aws
