// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/recording_sysctls.h"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

#include "conntrack/sysctl_file.h"
#include "conntrack/table_sysctls.h"

namespace headgate::conntrack {
namespace {

constexpr std::uint64_t kOn = 1;
constexpr std::uint64_t kOnWhenHeard = 2;  ///< nf_conntrack_events only: on if a listener exists
constexpr std::string_view kTimestamps = "nf_conntrack_timestamp";
constexpr std::string_view kCounters = "nf_conntrack_acct";
constexpr std::string_view kEvents = "nf_conntrack_events";

/// A flow gets its extensions for time stamp, counters and events when it begins, or never (nf_conntrack_core.c,
/// init_conntrack). nf_conntrack_events has a third value, 2, the default of many kernels since 5.19: a flow then gets
/// the extension only if a listener existed when it began (nf_conntrack_ecache.c, nf_ct_ecache_ext_add), and the end of
/// a flow that began before the agent is never reported. So 2 is replaced, too.
RecordingSysctl ensure_on(std::string_view name) {
    RecordingSysctl sysctl;
    sysctl.name = name;
    const auto value = SysctlFile::open(name).and_then([](const SysctlFile& file) { return file.read(); });
    if (!value) {
        sysctl.error = value.error().number;
        return sysctl;
    }
    sysctl.before = *value;
    if (*value == kOn) {
        sysctl.outcome = SysctlOutcome::WasRight;
        return sysctl;
    }
    const auto written = SysctlFile::write(name, kOn);
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

Result<RecordingReport> ensure_recording(const netlink::NetworkNamespace& where) {
    RecordingReport report;
    RETURN_IF_ERROR(where.run([&]() -> Result<void> {
        if (const auto loaded = SysctlFile::open("nf_conntrack_count"); !loaded) {
            return tl::unexpected(missing_sysctl(loaded.error()));
        }
        report = {ensure_on(kTimestamps), ensure_on(kCounters), ensure_on(kEvents)};
        return {};
    }));
    return report;
}

Result<bool> are_timestamps_on(const netlink::NetworkNamespace& where) {
    std::uint64_t value = 0;
    RETURN_IF_ERROR(where.run([&] {
        return SysctlFile::open(kTimestamps)
            .and_then([](const SysctlFile& file) { return file.read(); })
            .map([&](std::uint64_t read) { value = read; });
    }));
    return value == kOn;
}

Result<std::vector<std::string_view>> recordings_off(const netlink::NetworkNamespace& where) {
    std::vector<std::string_view> off;
    RETURN_IF_ERROR(where.run([&]() -> Result<void> {
        for (const auto name : {kTimestamps, kCounters, kEvents}) {
            const auto value = SysctlFile::open(name).and_then([](const SysctlFile& file) { return file.read(); });
            if (!value || !is_recording(name, *value)) off.push_back(name);
        }
        return {};
    }));
    return off;
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
