// SPDX-License-Identifier: GPL-2.0-or-later
// A flow that has ended, and how it ended: the content of a flow log record. Plain values; all functions are
// thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "headgate/flow.h"
#include "headgate/flow_operation.h"
#include "headgate/result.h"

namespace headgate {

enum class EndReason : std::uint8_t {
    Flushed,  ///< deleted by a flow operation or another program
    Closed,   ///< its protocol had ended the connection
    Timeout,  ///< no packet arrived within the kernel's timeout
    Evicted,  ///< the kernel removed it to make room in a full table
};
template <>
inline constexpr auto kNames<EndReason> = name_list("flushed", "closed", "timeout", "evicted");

/// The flow operation that ended a flow; shared by all flows that it ended.
struct FlushAttribution {
    std::string operation_id;
    std::string user;  ///< the requester, if known
    std::string stream_exception_policy;

    friend bool operator==(const FlushAttribution&, const FlushAttribution&) = default;
};

/// A program other than headgate that deleted a flow.
struct ExternalDelete {
    std::uint32_t port_id = 0;  ///< of the program's netlink socket
    std::string process;        ///< process name; empty if unknown

    friend bool operator==(const ExternalDelete&, const ExternalDelete&) = default;
};

struct EndedFlow {
    Flow flow;             ///< in its last known state
    Timestamp ended_at{};  ///< conntrack's stop time; without one, the time at which headgate received the event
    std::optional<std::chrono::seconds> machine_up;  ///< time from boot to the flow's end; absent if unknown
    std::optional<EndReason> reason;                 ///< absent if the kernel does not report it
    std::shared_ptr<const Endpoint> endpoint;
    std::shared_ptr<const FlushAttribution> flush;  ///< null: not ended by a flow operation
    std::shared_ptr<const ExternalDelete> foreign;  ///< null: not deleted by another program
};

/// The flow's state when it ended; absent if the kernel did not report the protocol state.
[[nodiscard]] inline std::optional<FlowState> last_state(const Flow& flow) {
    if (has_protocol_state(flow.original.protocol) && !flow.protocol_state) return std::nullopt;
    return state(flow);
}

/// Ended flows for which there is no record.
struct LostFlows {
    std::shared_ptr<const Endpoint> endpoint;  ///< null: any endpoint
    std::uint64_t count = 0;
    Timestamp since{};  ///< the flows ended between `since` and `until`
    Timestamp until{};
    std::string cause;  ///< human-readable
};

}  // namespace headgate
