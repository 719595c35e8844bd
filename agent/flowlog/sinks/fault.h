// SPDX-License-Identifier: GPL-2.0-or-later
// Short error messages of sinks, to follow the sink's name.
#pragma once

#include <cerrno>
#include <chrono>
#include <system_error>

#include "headgate/result.h"

namespace headgate::flowlog {

/// How long a sink may block the thread of its queue.
inline constexpr std::chrono::seconds kPatience{1};

/// An error such as `No space left on device`.
[[nodiscard]] inline tl::unexpected<Error> fault(int number) {
    if (number == ETIMEDOUT) return make_error(ErrorKind::TimedOut, "accepts nothing at the moment");
    return tl::unexpected(Error{kind_of_errno(number), std::generic_category().message(number), number});
}

}  // namespace headgate::flowlog
