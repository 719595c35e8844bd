// What somebody who has shown who they are may do.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/names.h"

namespace headgate::gateway {

enum class Role : std::uint8_t {
    Viewer,    ///< looks, and captures
    Operator,  ///< also flushes, and changes policies
};

struct Rights {
    Role role = Role::Viewer;
    std::optional<std::vector<std::string>> firewalls;  ///< by name; absent: all of them

    [[nodiscard]] bool covers(std::string_view firewall) const {
        return !firewalls || std::ranges::find(*firewalls, firewall) != firewalls->end();
    }

    friend bool operator==(const Rights&, const Rights&) = default;
};

/// Of who may do anything: root, and the group on the Unix socket.
inline const Rights kEverything{Role::Operator, std::nullopt};

}  // namespace headgate::gateway

template <>
inline constexpr auto headgate::kNames<headgate::gateway::Role> = headgate::name_list("viewer", "operator");
