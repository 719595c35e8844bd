// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/table_sysctls.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/text.h"

namespace headgate::conntrack {
namespace {

std::string path_of(std::string_view name) {
    return fmt::format("/proc/sys/net/netfilter/{}", name);
}

/// Adds the cause to the error of a missing sysctl.
Error missing_sysctl(const Error& error) {
    if (error.kind != ErrorKind::Missing) return error;
    const bool has_any = ::access("/proc/sys/net", F_OK) == 0;
    const auto* const why =
        has_any ? "conntrack is not loaded (modprobe nf_conntrack_netlink)" : "/proc is not mounted here";
    return {error.kind, fmt::format("{}: {}", error.message, why), error.number};
}

/// Writes it in the calling thread's network namespace. EROFS and EACCES are common in containers.
Result<void> write_sysctl(std::string_view name, std::uint64_t value) {
    const std::string path = path_of(name);
    const FileDescriptor file{::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
    if (!file.is_open()) return system_error(errno, path);
    const std::string text = fmt::format("{}\n", value);
    const ssize_t size = ::write(file.get(), text.data(), text.size());
    if (size != static_cast<ssize_t>(text.size())) return system_error(size < 0 ? errno : EIO, path);
    return {};
}

constexpr std::uint64_t kOn = 1;
constexpr std::uint64_t kOnWhenHeard = 2;  ///< nf_conntrack_events only: on if a listener exists
constexpr std::string_view kTimestamps = "nf_conntrack_timestamp";
constexpr std::string_view kCounters = "nf_conntrack_acct";
constexpr std::string_view kEvents = "nf_conntrack_events";

Result<std::uint64_t> value_of(std::string_view name) {
    return SysctlFile::open(name).and_then([](const SysctlFile& file) { return file.read(); });
}

/// A flow gets its extensions for time stamp, counters and events when it begins, or never (nf_conntrack_core.c,
/// init_conntrack). nf_conntrack_events has a third value, 2, the default of many kernels since 5.19: a flow then gets
/// the extension only if a listener existed when it began (nf_conntrack_ecache.c, nf_ct_ecache_ext_add), and the end of
/// a flow that began before the agent is never reported. So 2 is replaced, too.
RecordingSysctl ensure_on(std::string_view name) {
    RecordingSysctl sysctl;
    sysctl.name = name;
    const auto value = value_of(name);
    if (!value) {
        sysctl.error = value.error().number;
        return sysctl;
    }
    sysctl.before = *value;
    if (*value == kOn) {
        sysctl.outcome = SysctlOutcome::WasRight;
        return sysctl;
    }
    const auto written = write_sysctl(name, kOn);
    sysctl.outcome = written ? SysctlOutcome::Set : SysctlOutcome::NotSet;
    if (!written) sysctl.error = written.error().number;
    return sysctl;
}

/// Whether flows that begin while the agent listens are recorded.
bool is_recording(std::string_view name, std::uint64_t value) {
    return value == kOn || (name == kEvents && value == kOnWhenHeard);
}

std::string_view what_is_lacking(const RecordingSysctl& sysctl) {
    if (sysctl.name == kTimestamps) return "the age of flows is not known";
    if (sysctl.name == kCounters) return "packets and bytes are not counted";
    if (sysctl.before == kOnWhenHeard) return "the end of flows that began while no process listened is not reported";
    return "the end of flows is not reported";
}

std::string_view what_earlier_flows_lack(std::string_view name) {
    if (name == kTimestamps) return "the age of flows that began before is not known";
    if (name == kCounters) return "packets and bytes of flows that began before are not counted";
    return "the end of flows that began before may not be reported";
}

}  // namespace

Result<SysctlFile> SysctlFile::open(std::string_view name) {
    const std::string path = path_of(name);
    FileDescriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file.is_open()) return system_error(errno, path);
    return SysctlFile{std::move(file), name};
}

Result<std::uint64_t> SysctlFile::read() const {
    std::array<char, 32> text{};
    const ssize_t size = ::pread(fd_.get(), text.data(), text.size(), 0);
    if (size <= 0) return system_error(size < 0 ? errno : EIO, name_);
    const std::string_view line{text.data(), static_cast<std::size_t>(size)};
    const auto number = parse_unsigned<std::uint64_t>(line.substr(0, line.find('\n')));
    if (!number) return failed("{} is not a number", name_);
    return *number;
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
    ASSIGN_OR_RETURN(const auto in_use, count_.read());
    ASSIGN_OR_RETURN(const auto maximum, maximum_.read());
    ASSIGN_OR_RETURN(const auto buckets, buckets_.read());
    return TableUsage{in_use, maximum, buckets};
}

Result<std::uint64_t> TableSysctls::buckets() const {
    return buckets_.read();
}

Result<bool> TableSysctls::tcp_loose() const {
    return tcp_loose_.read().map([](std::uint64_t value) { return value != 0; });
}

Result<RecordingReport> ensure_recording(const netlink::NetworkNamespace& where) {
    return where.run([&]() -> Result<RecordingReport> {
        if (const auto loaded = SysctlFile::open("nf_conntrack_count"); !loaded) {
            return tl::unexpected(missing_sysctl(loaded.error()));
        }
        return RecordingReport{ensure_on(kTimestamps), ensure_on(kCounters), ensure_on(kEvents)};
    });
}

Result<bool> are_timestamps_on(const netlink::NetworkNamespace& where) {
    return where.run([] { return value_of(kTimestamps); }).map([](std::uint64_t value) { return value == kOn; });
}

Result<std::vector<std::string_view>> recordings_off(const netlink::NetworkNamespace& where) {
    return where.run([]() -> Result<std::vector<std::string_view>> {
        std::vector<std::string_view> off;
        for (const auto name : {kTimestamps, kCounters, kEvents}) {
            const auto value = value_of(name);
            if (!value || !is_recording(name, *value)) off.push_back(name);
        }
        return off;
    });
}

std::string describe(const RecordingSysctl& sysctl) {
    const std::string name = fmt::format("net.netfilter.{}", sysctl.name);
    switch (sysctl.outcome) {
        case SysctlOutcome::WasRight:
            return fmt::format("{} is {}", name, kOn);
        case SysctlOutcome::Set:
            return fmt::format("{} was {} and is {} now: {}", name, sysctl.before.value_or(0), kOn,
                               what_earlier_flows_lack(sysctl.name));
        case SysctlOutcome::NotSet:
            break;
    }
    if (!sysctl.before && sysctl.error == ENOENT) {
        return fmt::format("{} is missing: this kernel was built without it, and {}", name, what_is_lacking(sysctl));
    }
    const std::string reason = std::generic_category().message(sysctl.error);
    if (!sysctl.before) return fmt::format("{} cannot be read ({})", name, reason);
    return fmt::format("{0} is {1} and cannot be set ({2}): {3}; set it with sysctl -w {0}={4}", name, *sysctl.before,
                       reason, what_is_lacking(sysctl), kOn);
}

}  // namespace headgate::conntrack
