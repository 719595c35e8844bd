// Why somebody who asked is not known to us.
#pragma once

#include <cstdint>
#include <string>

#include <tl/expected.hpp>

namespace headgate::http::access {

enum class Refusal : std::uint8_t {
    NoCredentials,        ///< nothing was shown that could tell who asks
    IncompleteSignature,  ///< what was shown breaks a rule of its form
    UnknownClient,        ///< there is no such key or token
    WrongSignature,       ///< the key is known, but this request was not signed with it as it came
    Expired,              ///< it was signed too long ago, or too far in the future
};

struct AccessError {
    Refusal refusal = Refusal::NoCredentials;
    std::string message;  ///< one line, for the client; without anything secret
};

template <typename T>
using Checked = tl::expected<T, AccessError>;

[[nodiscard]] inline tl::unexpected<AccessError> refuse(Refusal refusal, std::string message) {
    return tl::unexpected(AccessError{refusal, std::move(message)});
}

}  // namespace headgate::http::access
