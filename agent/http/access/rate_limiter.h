// How often somebody may ask: a token bucket for each name.
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

/// Thread-safe; the time that one call takes does not grow with the number of names.
class RateLimiter {
  public:
    /// Buckets that are kept. Where one more is needed, that of whoever has not asked for longest is forgotten, and is
    /// full when they come again: so a stranger with that many names is not held back.
    static constexpr std::size_t kMostNames = 4096;

    /// Requests in a second, above 0, and those that may come at once after a while without any, 1 or more.
    RateLimiter(double per_second, double burst, std::size_t most_names = kMostNames)
        : per_second_(per_second), burst_(burst), most_names_(most_names) {}

    /// Nothing: it is admitted, and counted. Otherwise how long until one is, rounded up: what Retry-After says
    /// (RFC 9110, section 10.2.3).
    [[nodiscard]] std::optional<std::chrono::seconds> wait_for(std::string_view who,
                                                               std::chrono::steady_clock::time_point now);

  private:
    struct Bucket {
        std::string name;
        double requests;  ///< that may still come
        std::chrono::steady_clock::time_point filled_at;
    };

    [[nodiscard]] Bucket& bucket_of(std::string_view who, std::chrono::steady_clock::time_point now);

    const double per_second_;
    const double burst_;
    const std::size_t most_names_;
    std::mutex mutex_;
    std::list<Bucket> buckets_;                                                  ///< who asked last comes first
    std::unordered_map<std::string_view, std::list<Bucket>::iterator> by_name_;  ///< by the names in the list
};

}  // namespace headgate::http::access
