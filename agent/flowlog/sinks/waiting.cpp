// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/sinks/waiting.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace headgate::flowlog {

int wait_until_writable(int fd, Deadline deadline) {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        pollfd watched{.fd = fd, .events = POLLOUT, .revents = 0};
        const int ready = ::poll(&watched, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
        if (ready > 0) return 0;
        if (ready == 0) return ETIMEDOUT;
        if (errno != EINTR) return errno;
    }
}

}  // namespace headgate::flowlog
