// SPDX-License-Identifier: GPL-2.0-or-later
// Waits for a descriptor, until a deadline.
#pragma once

#include <chrono>

namespace headgate::flowlog {

using Deadline = std::chrono::steady_clock::time_point;

/// Waits until it is writable or broken (the next write then reports why). Returns 0, ETIMEDOUT, or poll(2)'s errno.
[[nodiscard]] int wait_until_writable(int fd, Deadline deadline);

}  // namespace headgate::flowlog
