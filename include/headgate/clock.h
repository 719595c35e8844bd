// Time, as headgate asks for it. A seam: tests hold a clock that they move themselves.
#pragma once

#include <chrono>
#include <ctime>
#include <string>

#include "headgate/flow.h"

namespace headgate {

/// How long the machine has been up, and since which boot.
struct Uptime {
    std::string boot;            ///< empty where it is not known: then no two are of the same boot
    std::chrono::seconds up{0};  ///< time asleep included
};

/// Thread-safe.
class Clock {
  public:
    virtual ~Clock() = default;

    /// Wall clock, the one conntrack stamps its entries with. May jump.
    [[nodiscard]] virtual Timestamp now() const = 0;

    /// Since the boot, time asleep included (CLOCK_BOOTTIME). Never jumps, and means the same to every process.
    [[nodiscard]] virtual std::chrono::nanoseconds up() const = 0;

    /// For durations and deadlines: never jumps.
    [[nodiscard]] virtual std::chrono::steady_clock::time_point steady_now() const = 0;

    /// For how much time has passed from one process to the next: within one boot it never jumps.
    [[nodiscard]] virtual Uptime uptime() const = 0;
};

class SystemClock final : public Clock {
  public:
    [[nodiscard]] Timestamp now() const override {
        return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
    }
    [[nodiscard]] std::chrono::nanoseconds up() const override {
        timespec time{};
        static_cast<void>(::clock_gettime(CLOCK_BOOTTIME, &time));  // fails for a clock that does not exist
        return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
    }
    [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override {
        return std::chrono::steady_clock::now();
    }
    [[nodiscard]] Uptime uptime() const override;
};

inline const SystemClock kSystemClock{};

}  // namespace headgate
