// SPDX-License-Identifier: GPL-2.0-or-later
// Rate limiting: a token bucket for each client name.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace headgate::http::access {

/// Thread-safe. The time of a call does not depend on the number of names.
class RateLimiter {
  public:
    /// Maximum number of buckets. Beyond it the least recently used one is dropped, and its client starts with a full
    /// one; so this does not limit an attacker with that many names.
    static constexpr std::size_t kMostNames = 4096;

    /// `per_second`: above 0; `burst`: requests accepted at once after an idle period, 1 or more.
    RateLimiter(double per_second, double burst, std::size_t most_names = kMostNames)
        : per_second_(per_second), burst_(burst), most_names_(most_names) {}

    /// Nothing: the request is admitted and counted. Otherwise the time until the next one would be, rounded up to
    /// seconds, for Retry-After (RFC 9110, section 10.2.3).
    [[nodiscard]] std::optional<std::chrono::seconds> wait_for(std::string_view who,
                                                               std::chrono::steady_clock::time_point now);

  private:
    struct Bucket {
        std::string name;
        double requests;  ///< still admitted now
        std::chrono::steady_clock::time_point filled_at;
    };

    [[nodiscard]] Bucket& bucket_of(std::string_view who, std::chrono::steady_clock::time_point now);

    const double per_second_;
    const double burst_;
    const std::size_t most_names_;
    std::mutex mutex_;
    std::list<Bucket> buckets_;                                                  ///< most recently used first
    std::unordered_map<std::string_view, std::list<Bucket>::iterator> by_name_;  ///< keys point into the list
};

}  // namespace headgate::http::access
