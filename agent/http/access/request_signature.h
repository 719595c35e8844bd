// The signature of a request, by which a copy of the request is recognised.
#pragma once

#include <chrono>
#include <string>

#include "headgate/flow.h"

namespace headgate::http::access {

/// How far a request's date may be from now, into the past and into the future (AWS General Reference, "Signature
/// Version 4": 15 minutes).
inline constexpr std::chrono::minutes kClockWindow{15};

/// The same bytes of a request have the same signature.
struct RequestSignature {
    std::string signature;
    Timestamp signed_at{};  ///< by the client's clock

    friend bool operator==(const RequestSignature&, const RequestSignature&) = default;
};

}  // namespace headgate::http::access
