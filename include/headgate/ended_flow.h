// A flow that has ended, and what is known of how: what the flow log tells. Plain values; all functions are
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
    Flushed,  ///< somebody deleted it: a flow operation, or another program
    Closed,   ///< its protocol had come to an end
    Timeout,  ///< no packet for as long as the kernel waits
    Evicted,  ///< the table was full, and the kernel gave it up for another one
};
template <>
inline constexpr auto kNames<EndReason> = name_list("flushed", "closed", "timeout", "evicted");

/// The flow operation that ended a flow: the same for all that it ended.
struct FlushNote {
    std::string operation_id;
    std::string user;  ///< who asked for it, as far as is known
    std::string stream_exception_policy;

    friend bool operator==(const FlushNote&, const FlushNote&) = default;
};

/// A program other than headgate that deleted a flow.
struct ForeignFlush {
    std::uint32_t port_id = 0;  ///< of its netlink socket
    std::string process;        ///< its name; empty where it could not be found

    friend bool operator==(const ForeignFlush&, const ForeignFlush&) = default;
};

struct EndedFlow {
    Flow flow;             ///< as it was last known
    Timestamp ended_at{};  ///< by conntrack's clock; where that is silent, when headgate learned of it
    std::optional<std::chrono::seconds> machine_up;  ///< since the boot, by then; absent where it is not known
    std::optional<EndReason> reason;                 ///< absent where the kernel does not tell
    std::shared_ptr<const Endpoint> endpoint;
    std::shared_ptr<const FlushNote> flush;       ///< null: no flow operation had to do with it
    std::shared_ptr<const ForeignFlush> foreign;  ///< null: no other program had
};

/// What the flow was when it ended; absent where the kernel did not tell its protocol's state.
[[nodiscard]] std::optional<FlowState> last_state(const Flow& flow);

/// Flows that ended and of which there is no record.
struct LostFlows {
    std::shared_ptr<const Endpoint> endpoint;  ///< null: of any
    std::uint64_t count = 0;
    Timestamp since{};  ///< they ended between these
    Timestamp until{};
    std::string cause;  ///< in words
};

}  // namespace headgate
