// SPDX-License-Identifier: GPL-2.0-or-later
// Limits for each client: requests per second, and requests answered at once.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace headgate::http::access {

/// A token bucket for each client name. Thread-safe. The time of a call does not depend on the number of names.
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

/// So that no caller occupies all threads with long responses. Thread-safe. Kept alive by its entries, so that it may
/// be replaced while requests run.
class RequestsInHand : public std::enable_shared_from_this<RequestsInHand> {
  public:
    explicit RequestsInHand(std::size_t most_of_one) : most_of_one_(most_of_one) {}

    /// Counts one more request until the result is released; null where the limit is reached.
    [[nodiscard]] std::shared_ptr<void> enter(const std::string& who);

  private:
    void leave(const std::string& who);

    const std::size_t most_of_one_;
    std::mutex mutex_;
    std::map<std::string, std::size_t, std::less<>> counts_;
};

}  // namespace headgate::http::access
