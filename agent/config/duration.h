// SPDX-License-Identifier: GPL-2.0-or-later
// Parses and prints durations in configuration files. Thread-safe.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "headgate/result.h"

namespace headgate::config {

/// `90s`, `5m`, `12h`, `7d`; a number without a unit is in seconds. Never negative.
[[nodiscard]] Result<std::chrono::seconds> parse_duration(std::string_view text);

/// Prints the same grammar, in the largest unit that is exact.
[[nodiscard]] std::string duration_text(std::chrono::seconds duration);

}  // namespace headgate::config
