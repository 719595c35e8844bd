// Time, as headgate asks for it. A seam: tests hold a clock that they move themselves.
#pragma once

#include <chrono>

#include "headgate/flow.h"

namespace headgate {

/// Thread-safe.
class Clock {
  public:
    virtual ~Clock() = default;

    /// Wall clock, the one conntrack stamps its entries with. May jump.
    [[nodiscard]] virtual Timestamp now() const = 0;

    /// For durations and deadlines: never jumps.
    [[nodiscard]] virtual std::chrono::steady_clock::time_point steady_now() const = 0;
};

class SystemClock final : public Clock {
  public:
    [[nodiscard]] Timestamp now() const override {
        return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
    }
    [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override {
        return std::chrono::steady_clock::now();
    }
};

}  // namespace headgate
