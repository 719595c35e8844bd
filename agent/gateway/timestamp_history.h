// SPDX-License-Identifier: GPL-2.0-or-later
// Since when every new flow has a time stamp, which allows a flow without one to be called old.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

#include "netlink/network_namespace.h"

namespace headgate::gateway {

/// Thread-safe.
class TimestampHistory {
  public:
    /// Records that time stamps are on in the network namespace since then, by Clock::up(). With Before::On, an earlier
    /// time recorded for the same namespace is kept.
    enum class Before : std::uint8_t { On, Off };
    void note(const netlink::NetworkNamespace& where, std::chrono::nanoseconds since, Before before);

    /// Nothing where unknown; what was recorded is dropped if time stamps are off now or the namespace is another one.
    [[nodiscard]] std::optional<std::chrono::nanoseconds> since(const netlink::NetworkNamespace& where);

  private:
    struct Known {
        std::uint64_t cookie = 0;  ///< NetworkNamespace::cookie()
        std::chrono::nanoseconds since{};
    };

    std::mutex mutex_;
    std::optional<Known> known_;
};

}  // namespace headgate::gateway
