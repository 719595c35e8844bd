// SPDX-License-Identifier: GPL-2.0-or-later
// The sysctls of a flow table: those that describe it, and those that make conntrack record a flow's start time, its
// counters and its end. In an unconfigured network namespace the latter three are off, or may be.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/flow_table.h"
#include "headgate/result.h"

#include "files/file_descriptor.h"
#include "netlink/network_namespace.h"

namespace headgate::conntrack {

/// A number in /proc/sys/net/netfilter (net/netfilter/nf_conntrack_standalone.c, nf_ct_sysctl_table). Opened once, in
/// its network namespace, and usable from any thread: /proc/sys/net is that of the thread that opens the file
/// (net/sysctl_net.c, net_ctl_header_lookup).
class SysctlFile {
  public:
    SysctlFile() = default;

    /// Opens it for reading in the calling thread's network namespace. ENOENT if the kernel does not have it.
    [[nodiscard]] static Result<SysctlFile> open(std::string_view name);

    [[nodiscard]] Result<std::uint64_t> read() const;

  private:
    SysctlFile(FileDescriptor fd, std::string_view name) : fd_(std::move(fd)), name_(name) {}

    FileDescriptor fd_;
    std::string name_;
};

/// Opened once, in their network namespace, and readable from any thread.
class TableSysctls {
  public:
    /// Opens them in the calling thread's network namespace. Fails if conntrack is not loaded.
    [[nodiscard]] static Result<TableSysctls> open();

    [[nodiscard]] Result<TableUsage> usage() const;

    /// Cheap enough to be called many times during a dump.
    [[nodiscard]] Result<std::uint64_t> buckets() const;

    [[nodiscard]] Result<bool> tcp_loose() const;

  private:
    SysctlFile count_, maximum_, buckets_, tcp_loose_;
};

enum class SysctlOutcome : std::uint8_t {
    WasRight,
    Set,     ///< set now; flows that began earlier are still not recorded
    NotSet,  ///< could not be set: `error` has the reason
};

struct RecordingSysctl {
    std::string_view name;  ///< for example `nf_conntrack_acct`
    SysctlOutcome outcome = SysctlOutcome::NotSet;
    std::optional<std::uint64_t> before;  ///< absent if it could not be read
    int error = 0;                        ///< errno; ENOENT: the kernel was built without it

    friend bool operator==(const RecordingSysctl&, const RecordingSysctl&) = default;
};

struct RecordingReport {
    RecordingSysctl timestamps;
    RecordingSysctl counters;
    RecordingSysctl events;

    [[nodiscard]] std::array<RecordingSysctl, 3> all() const { return {timestamps, counters, events}; }

    /// Whether flows that existed before may have a start time.
    [[nodiscard]] bool timestamps_were_on() const { return timestamps.outcome == SysctlOutcome::WasRight; }
};

/// Sets nf_conntrack_timestamp, nf_conntrack_acct and nf_conntrack_events of the namespace to 1 where they are not. A
/// sysctl that cannot be set is reported and no error; an error means that conntrack is not loaded, or that the
/// namespace cannot be entered.
[[nodiscard]] Result<RecordingReport> ensure_recording(const netlink::NetworkNamespace& where);

/// Whether new flows currently get a time stamp.
[[nodiscard]] Result<bool> are_timestamps_on(const netlink::NetworkNamespace& where);

/// The names of those of the three that currently do not record. Changes nothing. nf_conntrack_events=2 counts as on,
/// because the agent listens.
[[nodiscard]] Result<std::vector<std::string_view>> recordings_off(const netlink::NetworkNamespace& where);

/// One line for the operator: `net.netfilter.nf_conntrack_acct is 0 and cannot be set (Read-only file system): packets
/// and bytes are not counted; set it with sysctl -w net.netfilter.nf_conntrack_acct=1`.
[[nodiscard]] std::string describe(const RecordingSysctl& sysctl);

}  // namespace headgate::conntrack
