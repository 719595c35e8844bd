// SPDX-License-Identifier: GPL-2.0-or-later
// The source of time. An interface, so that tests can substitute a clock that they control.
#pragma once

#include <chrono>
#include <ctime>
#include <string>

#include "headgate/flow.h"

namespace headgate {

/// Time since boot, and the boot that it counts from.
struct Uptime {
    std::string boot;            ///< boot id; empty if unknown, and then equal to no other boot
    std::chrono::seconds up{0};  ///< includes suspended time
};

/// Thread-safe.
class Clock {
  public:
    virtual ~Clock() = default;

    /// Wall clock, which conntrack uses for its time stamps. May jump.
    [[nodiscard]] virtual Timestamp now() const = 0;

    /// Time since boot, including suspended time (CLOCK_BOOTTIME). Never jumps, and is the same for every process.
    [[nodiscard]] virtual std::chrono::nanoseconds up() const = 0;

    /// For durations and deadlines. Never jumps.
    [[nodiscard]] virtual std::chrono::steady_clock::time_point steady_now() const = 0;

    /// For time elapsed between processes. Never jumps within one boot.
    [[nodiscard]] virtual Uptime uptime() const = 0;
};

class SystemClock final : public Clock {
  public:
    [[nodiscard]] Timestamp now() const override {
        return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
    }
    [[nodiscard]] std::chrono::nanoseconds up() const override {
        timespec time{};
        static_cast<void>(::clock_gettime(CLOCK_BOOTTIME, &time));  // fails only for an unknown clock id
        return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
    }
    [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override {
        return std::chrono::steady_clock::now();
    }
    [[nodiscard]] Uptime uptime() const override;
};

inline const SystemClock kSystemClock{};

}  // namespace headgate
