// What the kernel says of the boot, read from its files: nothing that stands in for the C library's clocks comes
// between.
#include <unistd.h>

#include <array>
#include <fstream>
#include <string_view>

#include "headgate/clock.h"

namespace headgate {
namespace {

/// Time namespaces, of containers, shift what /proc/uptime says (time_namespaces(7)).
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
