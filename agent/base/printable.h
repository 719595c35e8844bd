// SPDX-License-Identifier: GPL-2.0-or-later
// Checks and sanitizes text for terminals, logs and JSON. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace headgate {

/// The offset of the first byte that is not UTF-8 or that begins an invisible character: a control character, a Unicode
/// line separator, a bidirectional control. Absent if all is printable. `allowed`: exceptions, ASCII only.
[[nodiscard]] std::optional<std::size_t> find_unprintable(std::string_view text, std::string_view allowed = {});

/// Makes a message that quotes untrusted text fit for one terminal line: limited in length, and all printable.
[[nodiscard]] std::string to_one_line(std::string message);

}  // namespace headgate
