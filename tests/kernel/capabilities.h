// SPDX-License-Identifier: GPL-2.0-or-later
// A thread with fewer privileges.
#pragma once

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace headgate::testing {

constexpr std::uint64_t bit(unsigned capability) {
    return std::uint64_t{1} << capability;
}

/// Of the calling thread alone, and of the threads that it starts.
inline void keep_only(std::uint64_t capabilities) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};
    for (unsigned half = 0; half < 2; ++half)
        data[half].effective = data[half].permitted = static_cast<std::uint32_t>(capabilities >> (32 * half));
    ASSERT_EQ(::syscall(SYS_capset, &header, data), 0);
}

}  // namespace headgate::testing
