// SPDX-License-Identifier: GPL-2.0-or-later
#include "files/file_lock.h"

#include <sys/file.h>

#include <cerrno>
#include <thread>

namespace headgate {

int lock_within(int fd, int kind, std::chrono::milliseconds patience, std::chrono::microseconds step) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (::flock(fd, kind | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) return errno;
        if (std::chrono::steady_clock::now() >= until) return ETIMEDOUT;
        std::this_thread::sleep_for(step);
    }
    return 0;
}

}  // namespace headgate
