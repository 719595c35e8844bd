// Waiting for a descriptor, up to a point in time.
#pragma once

#include <chrono>

namespace headgate::flowlog {

using Deadline = std::chrono::steady_clock::time_point;

/// Until it takes something, or is broken (the next write says how). 0; ETIMEDOUT; or why it cannot be waited for.
[[nodiscard]] int wait_until_writable(int fd, Deadline deadline);

}  // namespace headgate::flowlog
