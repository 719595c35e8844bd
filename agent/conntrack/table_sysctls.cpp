// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/table_sysctls.h"

#include <unistd.h>

#include <string_view>
#include <utility>

namespace headgate::conntrack {

Error missing_sysctl(const Error& error) {
    if (error.kind != ErrorKind::Missing) return error;
    const bool has_any = ::access("/proc/sys/net", F_OK) == 0;
    const auto* const why =
        has_any ? "conntrack is not loaded (modprobe nf_conntrack_netlink)" : "/proc is not mounted here";
    return {error.kind, fmt::format("{}: {}", error.message, why), error.number};
}

Result<TableSysctls> TableSysctls::open() {
    TableSysctls sysctls;
    const std::pair<SysctlFile*, std::string_view> files[] = {
        {&sysctls.count_, "nf_conntrack_count"},
        {&sysctls.maximum_, "nf_conntrack_max"},
        {&sysctls.buckets_, "nf_conntrack_buckets"},
        {&sysctls.tcp_loose_, "nf_conntrack_tcp_loose"},
    };
    for (const auto& [slot, name] : files) {
        auto file = SysctlFile::open(name);
        if (!file) return tl::unexpected(missing_sysctl(file.error()));
        *slot = std::move(*file);
    }
    return sysctls;
}

Result<TableUsage> TableSysctls::usage() const {
    TableUsage usage;
    const std::pair<std::uint64_t*, const SysctlFile*> numbers[] = {
        {&usage.in_use, &count_},
        {&usage.maximum, &maximum_},
        {&usage.buckets, &buckets_},
    };
    for (const auto& [slot, file] : numbers) {
        ASSIGN_OR_RETURN(auto number, file->read());
        *slot = number;
    }
    return usage;
}

Result<std::uint64_t> TableSysctls::buckets() const {
    return buckets_.read();
}

Result<bool> TableSysctls::tcp_loose() const {
    return tcp_loose_.read().map([](std::uint64_t value) { return value != 0; });
}

}  // namespace headgate::conntrack
