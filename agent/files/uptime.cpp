// SPDX-License-Identifier: GPL-2.0-or-later
// The time since boot, read from the kernel's files, so that no library that replaces the C library's clocks affects
// it.
#include <unistd.h>

#include <array>
#include <fstream>
#include <string_view>

#include "headgate/clock.h"

namespace headgate {
namespace {

/// Time namespaces, as of containers, shift /proc/uptime (time_namespaces(7)).
std::string time_namespace() {
    std::array<char, 64> name{};
    const ssize_t size = ::readlink("/proc/self/ns/time", name.data(), name.size());
    return {name.data(), static_cast<std::size_t>(size > 0 ? size : 0)};
}

}  // namespace

Uptime SystemClock::uptime() const {
    std::string boot;
    double seconds = 0;
    if (!(std::ifstream{"/proc/sys/kernel/random/boot_id"} >> boot) || !(std::ifstream{"/proc/uptime"} >> seconds)) {
        return {};
    }
    return {boot + " " + time_namespace(), std::chrono::seconds{static_cast<std::int64_t>(seconds)}};
}

}  // namespace headgate
