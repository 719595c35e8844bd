// Keeps derived signing keys: deriving one takes four hashes, and it is good for a day.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "http/access/credentials.h"
#include "http/access/digest.h"

namespace headgate::http::access {

/// Thread-safe.
class SigningKeys {
  public:
    /// Strangers may name regions and dates as they like: when there are so many, all begin anew.
    static constexpr std::size_t kMost = 1024;

    [[nodiscard]] Digest find(const AccessKey& key, std::string_view date, std::string_view region);

  private:
    std::mutex mutex_;
    std::unordered_map<std::string, Digest> derived_;  ///< by `ID/DATE/REGION`: no part has a slash
};

}  // namespace headgate::http::access
