// How many requests of one caller are being answered at once: nobody is to keep all threads for long answers.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace headgate::http::access {

/// Thread-safe; shared with those who are in, so that it may be replaced meanwhile.
class RequestsInHand : public std::enable_shared_from_this<RequestsInHand> {
  public:
    explicit RequestsInHand(std::size_t most_of_one) : most_of_one_(most_of_one) {}

    /// What stands for one more request, and counts as long as it is kept; nothing where there are too many.
    [[nodiscard]] std::shared_ptr<void> enter(const std::string& who);

  private:
    void leave(const std::string& who);

    const std::size_t most_of_one_;
    std::mutex mutex_;
    std::map<std::string, std::size_t, std::less<>> counts_;
};

}  // namespace headgate::http::access
