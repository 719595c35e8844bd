// Durations as people write them in a configuration. Thread-safe.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "headgate/result.h"

namespace headgate::config {

/// `90s`, `5m`, `12h`, `7d`; a number alone is seconds. Never negative.
[[nodiscard]] Result<std::chrono::seconds> parse_duration(std::string_view text);

/// The same grammar back, in the largest unit that tells it exactly.
[[nodiscard]] std::string duration_text(std::chrono::seconds duration);

}  // namespace headgate::config
