// SPDX-License-Identifier: GPL-2.0-or-later
// Why authentication failed.
#pragma once

#include <cstdint>
#include <string>

#include <tl/expected.hpp>

namespace headgate::http::access {

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
