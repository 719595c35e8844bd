// What conntrack must be told to record of each flow, so that headgate can tell its age, count it, and hear of its end.
// All three are off, or may be off, in a network namespace that nobody has touched.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/result.h"

#include "netlink/network_namespace.h"

namespace headgate::conntrack {

enum class SysctlOutcome : std::uint8_t {
    WasRight,
    Set,     ///< now; flows that began before are recorded as little as ever
    NotSet,  ///< it could not be: `error` says why
};

struct RecordingSysctl {
    std::string_view name;  ///< `nf_conntrack_acct`
    SysctlOutcome outcome = SysctlOutcome::NotSet;
    std::optional<std::uint64_t> before;  ///< absent where it could not be read
    int error = 0;                        ///< errno; ENOENT: this kernel was built without it

    friend bool operator==(const RecordingSysctl&, const RecordingSysctl&) = default;
};

struct RecordingReport {
    RecordingSysctl timestamps;
    RecordingSysctl counters;
    RecordingSysctl events;

    [[nodiscard]] std::array<RecordingSysctl, 3> all() const { return {timestamps, counters, events}; }

    /// Whether flows that were there before may have a start time.
    [[nodiscard]] bool timestamps_were_on() const { return timestamps.outcome == SysctlOutcome::WasRight; }
};

/// Looks at nf_conntrack_timestamp, nf_conntrack_acct and nf_conntrack_events of the namespace and sets those to 1 that
/// are not. What cannot be set is in the report and no error; an error means that conntrack is not loaded, or that the
/// namespace cannot be entered.
[[nodiscard]] Result<RecordingReport> ensure_recording(const netlink::NetworkNamespace& where);

/// Whether new flows get a time stamp just now.
[[nodiscard]] Result<bool> are_timestamps_on(const netlink::NetworkNamespace& where);

/// Those of the three that do not record just now, by name. Changes nothing. Events for whoever listens are enough:
/// the agent does.
[[nodiscard]] Result<std::vector<std::string_view>> recordings_off(const netlink::NetworkNamespace& where);

/// One line for people: `net.netfilter.nf_conntrack_acct is 0 and cannot be set (Read-only file system): packets and
/// bytes are not counted; set it with sysctl -w net.netfilter.nf_conntrack_acct=1`.
[[nodiscard]] std::string describe(const RecordingSysctl& sysctl);

}  // namespace headgate::conntrack
