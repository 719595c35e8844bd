// SPDX-License-Identifier: GPL-2.0-or-later
// The result of authentication: who the client is and what it may do, or why it is refused.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "headgate/flow.h"
#include "headgate/flow_operation.h"
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

/// Maximum difference between a request's date and the present, in both directions (AWS General Reference, "Signature
/// Version 4": 15 minutes).
inline constexpr std::chrono::minutes kClockWindow{15};

/// By which replays are detected: identical requests have equal signatures.
struct RequestSignature {
    std::string hex;
    Timestamp signed_at{};  ///< by the client's clock

    friend bool operator==(const RequestSignature&, const RequestSignature&) = default;
};

struct Identity {
    Caller caller;  ///< face `sigv4`, `token` or `certificate`; user: the key's id, or the name
    Permissions permissions;
    std::optional<RequestSignature> signature;  ///< set for a signed request
};

enum class Refusal : std::uint8_t {
    NoCredentials,        ///< the request has no credentials
    IncompleteSignature,  ///< the signature is malformed
    UnknownClient,        ///< no such key or token
    WrongSignature,       ///< the key exists, but its signature does not match the request as received
    Expired,              ///< signed too long ago, or too far in the future
};

struct AccessError {
    Refusal refusal = Refusal::NoCredentials;
    std::string message;  ///< one line for the client, without secrets
};

template <typename T>
using Checked = tl::expected<T, AccessError>;

[[nodiscard]] inline tl::unexpected<AccessError> refuse(Refusal refusal, std::string message) {
    return tl::unexpected(AccessError{refusal, std::move(message)});
}

}  // namespace headgate::http::access

template <>
inline constexpr auto headgate::kNames<headgate::http::access::Role> = headgate::name_list("viewer", "operator");
