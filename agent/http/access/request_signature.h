// SPDX-License-Identifier: GPL-2.0-or-later
// The signature of a request, by which replays are detected.
#pragma once

#include <chrono>
#include <string>

#include "headgate/flow.h"

namespace headgate::http::access {

/// Maximum difference between a request's date and the present, in both directions (AWS General Reference, "Signature
/// Version 4": 15 minutes).
inline constexpr std::chrono::minutes kClockWindow{15};

/// Identical requests have equal signatures.
struct RequestSignature {
    std::string hex;
    Timestamp signed_at{};  ///< by the client's clock

    friend bool operator==(const RequestSignature&, const RequestSignature&) = default;
};

}  // namespace headgate::http::access
