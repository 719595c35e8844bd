// SPDX-License-Identifier: GPL-2.0-or-later
// Ports and port ranges, in host byte order. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "headgate/result.h"

namespace headgate {

struct PortRange {
    std::uint16_t first = 0;
    std::uint16_t last = 65535;  ///< inclusive; not below `first`

    [[nodiscard]] constexpr bool contains(std::uint16_t port) const noexcept { return first <= port && port <= last; }
    [[nodiscard]] constexpr bool is_single_port() const noexcept { return first == last; }

    friend bool operator==(const PortRange&, const PortRange&) = default;
};

[[nodiscard]] std::string to_string(const PortRange& range);  ///< `80` or `1990:1994`

/// Parses `80`, `1990:1994`, or `ANY` in any case, which gives no range.
[[nodiscard]] Result<std::optional<PortRange>> parse_port_range(std::string_view text);

}  // namespace headgate
