// SPDX-License-Identifier: GPL-2.0-or-later
// Writes the structures of AWS responses.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <string_view>

#include "headgate/flow.h"

#include "flow/json_members.h"

namespace headgate::http::aws {

/// One JSON object; `fill(JsonMembers&)` writes its members.
template <typename Fill>
[[nodiscard]] std::string json_of(const Fill& fill) {
    fmt::memory_buffer out;
    out.push_back('{');
    JsonMembers members{out};
    fill(members);
    out.push_back('}');
    return fmt::to_string(out);
}

/// Seconds since 1970, with milliseconds, as a number: the JavaScript SDK rejects a string.
inline void add_timestamp(JsonMembers& members, std::string_view name, Timestamp time) {
    const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
    members.number(name, fmt::format("{:.3f}", static_cast<double>(milliseconds) / 1000));
}

}  // namespace headgate::http::aws
