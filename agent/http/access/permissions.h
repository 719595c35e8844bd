// SPDX-License-Identifier: GPL-2.0-or-later
// Permissions of an authenticated client.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/names.h"

namespace headgate::http::access {

enum class Role : std::uint8_t {
    Viewer,    ///< may read and capture
    Operator,  ///< may also flush, and change policies
};

struct Permissions {
    Role role = Role::Viewer;
    std::optional<std::vector<std::string>> firewalls;  ///< names; absent: all firewalls

    [[nodiscard]] bool covers(std::string_view firewall) const {
        return !firewalls || std::ranges::find(*firewalls, firewall) != firewalls->end();
    }

    friend bool operator==(const Permissions&, const Permissions&) = default;
};

/// Of root, and of members of the group on the Unix socket.
inline const Permissions kEverything{Role::Operator, std::nullopt};

}  // namespace headgate::http::access

template <>
inline constexpr auto headgate::kNames<headgate::http::access::Role> = headgate::name_list("viewer", "operator");
