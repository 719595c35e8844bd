// Flow operations: what was asked, what was done, how it ended. Plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/flow.h"
#include "headgate/flow_query.h"

namespace headgate {

enum class OperationType : std::uint8_t { Capture, Flush };
template <>
inline constexpr auto kNames<OperationType> = name_list("FLOW_CAPTURE", "FLOW_FLUSH");

enum class OperationStatus : std::uint8_t { InProgress, Completed, CompletedWithErrors, Failed };
template <>
inline constexpr auto kNames<OperationStatus> = name_list("IN_PROGRESS", "COMPLETED", "COMPLETED_WITH_ERRORS",
                                                          "FAILED");

/// How far one has come that is in progress.
enum class OperationPhase : std::uint8_t { Identifying, Flushing };
template <>
inline constexpr auto kNames<OperationPhase> = name_list("identifying", "flushing");

/// Where an operation works: one flow table, by the name that users have for it.
struct Endpoint {
    std::string firewall;
    std::string availability_zone;
    std::string network_namespace;  ///< of a one-off run, as it was named; empty otherwise

    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// Who asked for an operation, as far as is known.
struct Caller {
    std::string face;  ///< the way it came: `cli`, `unix`
    std::optional<std::uint32_t> uid;
    std::string user;
    std::string sudo_user;       ///< who became that user by sudo(8)
    std::string source_address;  ///< where they sit, if not at this machine

    friend bool operator==(const Caller&, const Caller&) = default;
};

struct OperationCounts {
    std::uint64_t scanned = 0;
    std::uint64_t matched = 0;
    std::uint64_t flushed = 0;
    std::uint64_t gone = 0;
    std::uint64_t failed = 0;
    std::uint64_t protected_flows = 0;
    std::uint64_t age_unknown = 0;    ///< left out: a minimum age was asked, and the flow's is not known
    std::uint64_t bytes_unknown = 0;  ///< left out: minimum bytes were asked, and the flow has no counters
    std::uint64_t closed = 0;         ///< left out: active flows were asked, which they would match otherwise

    friend bool operator==(const OperationCounts&, const OperationCounts&) = default;
};

/// What a caller asks for: the same in a request and in the operation that comes of it.
struct FlowRequest {
    OperationType type = OperationType::Capture;
    Caller caller;
    FlowQuery query;             ///< of a flush of captured flows, what they had been captured by
    std::string from_operation;  ///< whose flows are flushed; empty: those that match now, or come from a file
    bool dry_run = false;
    bool include_protected = false;  ///< protected flows are to be ended, too

    friend bool operator==(const FlowRequest&, const FlowRequest&) = default;
};

struct FlowOperation : FlowRequest {
    std::string id;  ///< lower-case UUID
    OperationStatus status = OperationStatus::InProgress;
    OperationPhase phase = OperationPhase::Identifying;  ///< says something of one that is in progress
    std::string status_message;                          ///< empty where there is nothing to say
    std::string detail;                                  ///< what is behind the status message, in our own words
    bool refused = false;  ///< of a Failed one: a guard said no, before anything was changed
    Endpoint endpoint;
    Timestamp requested_at{};
    std::optional<std::chrono::seconds> machine_up;  ///< since the boot, by then; absent where it was not kept
    std::chrono::milliseconds duration{0};
    std::string asked;  ///< the whole request in one text, where it came with a token; empty otherwise
    std::string plan;   ///< how the table is searched, in words
    OperationCounts counts;
    std::string stream_exception_policy = "none";  ///< the name of the one in force
    std::vector<std::string> warnings;             ///< what the operator should know beside the result
    unsigned restarts = 0;                         ///< scans that were repeated because the table was resized

    friend bool operator==(const FlowOperation&, const FlowOperation&) = default;
};

/// What an operation is about when nobody says a state. A flush leaves no flow alone for its state: conntrack's may be
/// wrong, and one that it calls closed goes on as long as packets renew it.
[[nodiscard]] StateScope default_states(OperationType type);

/// What the ages of its flows are told against.
[[nodiscard]] Moment moment_of(const FlowOperation& operation);

}  // namespace headgate
