// SPDX-License-Identifier: GPL-2.0-or-later
// A clock that the test controls.
#pragma once

#include <mutex>
#include <string>

#include "headgate/clock.h"

namespace headgate::testing {

class ManualClock final : public Clock {
  public:
    [[nodiscard]] Timestamp now() const override {
        const std::lock_guard lock{mutex_};
        return now_;
    }
    [[nodiscard]] std::chrono::nanoseconds up() const override {
        const std::lock_guard lock{mutex_};
        return up_;
    }
    [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override {
        const std::lock_guard lock{mutex_};
        return steady_;
    }

    /// Advances all clocks.
    void pass(std::chrono::nanoseconds time) {
        const std::lock_guard lock{mutex_};
        now_ += time;
        up_ += time;
        steady_ += std::chrono::duration_cast<std::chrono::steady_clock::duration>(time);
    }

    [[nodiscard]] Uptime uptime() const override {
        const std::lock_guard lock{mutex_};
        return {"boot " + std::to_string(boot_), std::chrono::duration_cast<std::chrono::seconds>(up_)};
    }

    /// Reboots the machine, which was off for this long.
    void reboot(std::chrono::nanoseconds off) {
        const std::lock_guard lock{mutex_};
        now_ += off;
        steady_ = {};
        up_ = {};
        ++boot_;
    }

    /// Sets the wall clock forward by `time`, or back if negative.
    void jump(std::chrono::nanoseconds time) {
        const std::lock_guard lock{mutex_};
        now_ += time;
    }

  private:
    mutable std::mutex mutex_;
    Timestamp now_{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21}};
    std::chrono::nanoseconds up_{std::chrono::days{400}};
    std::chrono::steady_clock::time_point steady_{std::chrono::hours{1}};
    int boot_ = 1;
};

}  // namespace headgate::testing
