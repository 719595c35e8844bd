// What shows that somebody has signed a request, and lets a copy of it be known.
#pragma once

#include <chrono>
#include <string>

#include "headgate/flow.h"

namespace headgate::gateway {

/// How far a request's date may be from now, into the past and into the future (AWS General Reference, "Signature
/// Version 4": 15 minutes).
inline constexpr std::chrono::minutes kClockWindow{15};

/// The same bytes of a request have the same proof.
struct Proof {
    std::string signature;
    Timestamp signed_at{};  ///< by the client's clock

    friend bool operator==(const Proof&, const Proof&) = default;
};

}  // namespace headgate::gateway
