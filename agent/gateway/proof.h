// The signature of a request, by which replays are detected.
#pragma once

#include <chrono>
#include <string>

#include "headgate/flow.h"

namespace headgate::gateway {

/// Maximum difference between a request's date and the present, in both directions (AWS General Reference, "Signature
/// Version 4": 15 minutes).
inline constexpr std::chrono::minutes kClockWindow{15};

/// Identical requests have equal proofs.
struct Proof {
    std::string signature;
    Timestamp signed_at{};  ///< by the client's clock

    friend bool operator==(const Proof&, const Proof&) = default;
};

}  // namespace headgate::gateway
