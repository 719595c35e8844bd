// SPDX-License-Identifier: GPL-2.0-or-later
// Limits the requests of one caller that are answered at once, so that none occupies all threads with long responses.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace headgate::http::access {

/// Thread-safe. Kept alive by its entries, so that it may be replaced while requests run.
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
