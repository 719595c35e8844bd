// SPDX-License-Identifier: GPL-2.0-or-later
// Cache of derived signing keys: a derivation takes four hashes, and is valid for a day.
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
    /// Region and date come from unauthenticated clients: a full cache is cleared.
    static constexpr std::size_t kMost = 1024;

    [[nodiscard]] Digest find(const AccessKey& key, std::string_view date, std::string_view region);

  private:
    std::mutex mutex_;
    std::unordered_map<std::string, Digest> derived_;  ///< by `ID/DATE/REGION`: no part contains a slash
};

}  // namespace headgate::http::access
