// Flow operations: what was asked, what was done, how it ended. Plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/flow.h"
#include "headgate/flow_query.h"

namespace headgate {

enum class OperationType : std::uint8_t { Capture, Flush };
enum class OperationStatus : std::uint8_t { InProgress, Completed, CompletedWithErrors, Failed };

[[nodiscard]] std::string_view to_string(OperationType type);      ///< `FLOW_CAPTURE`, `FLOW_FLUSH`
[[nodiscard]] std::string_view to_string(OperationStatus status);  ///< `COMPLETED`, ...

/// Where an operation works: one flow table, by the name that users have for it.
struct Endpoint {
    std::string firewall;
    std::string availability_zone;
    std::string network_namespace;  ///< of a one-off run, as it was named; empty otherwise

    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

struct OperationCounts {
    std::uint64_t scanned = 0;
    std::uint64_t matched = 0;
    std::uint64_t flushed = 0;
    std::uint64_t gone = 0;
    std::uint64_t failed = 0;
    std::uint64_t protected_flows = 0;
    std::uint64_t age_unknown = 0;    ///< left out: a minimum age was asked, and the flow has no time stamp
    std::uint64_t bytes_unknown = 0;  ///< left out: minimum bytes were asked, and the flow has no counters

    friend bool operator==(const OperationCounts&, const OperationCounts&) = default;
};

struct FlowOperation {
    std::string id;  ///< lower-case UUID
    OperationType type = OperationType::Capture;
    OperationStatus status = OperationStatus::InProgress;
    std::string status_message;  ///< empty where there is nothing to say
    std::string detail;          ///< what is behind the status message, in our own words
    Endpoint endpoint;
    Timestamp requested_at{};
    std::chrono::milliseconds duration{0};
    FlowQuery query;  ///< without filters for a flush of captured flows
    bool dry_run = false;
    OperationCounts counts;
    std::string stream_exception_policy = "none";  ///< the name of the one in force
    std::vector<std::string> warnings;             ///< what the operator should know beside the result
    unsigned restarts = 0;                         ///< scans that were repeated because the table was resized

    friend bool operator==(const FlowOperation&, const FlowOperation&) = default;
};

}  // namespace headgate
