// SPDX-License-Identifier: GPL-2.0-or-later
// flock(2) with a time limit, which flock itself does not have: the holder may have been stopped (SIGSTOP).
#pragma once

#include <chrono>

namespace headgate {

/// `kind` is LOCK_EX or LOCK_SH; `step` is the time between attempts. Returns 0 or an errno; ETIMEDOUT after
/// `patience`.
[[nodiscard]] int lock_within(int fd, int kind, std::chrono::milliseconds patience,
                              std::chrono::microseconds step = std::chrono::milliseconds{10});

}  // namespace headgate
