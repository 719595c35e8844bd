// SPDX-License-Identifier: GPL-2.0-or-later
// Flow operations: request, progress and result. Plain values.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/flow.h"
#include "headgate/flow_query.h"
#include "headgate/flow_verdict.h"
#include "headgate/operation_type.h"

namespace headgate {

enum class OperationStatus : std::uint8_t { InProgress, Completed, CompletedWithErrors, Failed };
template <>
inline constexpr auto kNames<OperationStatus> = name_list("IN_PROGRESS", "COMPLETED", "COMPLETED_WITH_ERRORS",
                                                          "FAILED");

/// Phase of an operation in progress.
enum class OperationPhase : std::uint8_t { Identifying, Judging, Flushing };
template <>
inline constexpr auto kNames<OperationPhase> = name_list("identifying", "judging", "flushing");

/// Whether the user agreed to a flush, of which a front end showed a dry run. Without consent it ends no flow, and is
/// kept as refused.
enum class Consent : std::uint8_t { Given, Declined, NotAsked };
template <>
inline constexpr auto kNames<Consent> = name_list("given", "declined", "not_asked");

/// Where an operation works: one flow table, identified by its user-visible names.
struct Endpoint {
    std::string firewall;
    std::string availability_zone;
    std::string network_namespace;  ///< of a one-off run, as the user named it; empty otherwise

    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// The endpoint that a request means. Members may be absent where only one endpoint is possible.
struct EndpointName {
    std::optional<std::string> firewall;
    std::optional<std::string> availability_zone;
    std::optional<std::string> network_namespace;  ///< for a one-off run, in place of the other two

    /// The endpoint with these names, whether it exists or not.
    [[nodiscard]] Endpoint as_endpoint() const {
        return {firewall.value_or(""), availability_zone.value_or(""), network_namespace.value_or("")};
    }

    friend bool operator==(const EndpointName&, const EndpointName&) = default;
};

/// The requester of an operation, as far as known.
struct Caller {
    std::string face;  ///< interface used: `cli`, `unix`
    std::optional<std::uint32_t> uid;
    std::string user;
    std::string sudo_user;       ///< the user who ran sudo(8)
    std::string source_address;  ///< the caller's remote address; empty if local

    /// As lists show it, and as `--by` names it: the user before sudo(8); `uid 1234` if the user has no name.
    [[nodiscard]] std::string name() const;

    /// The same user of the same interface, from wherever.
    [[nodiscard]] bool is_same_as(const Caller& other) const { return face == other.face && user == other.user; }

    friend bool operator==(const Caller&, const Caller&) = default;
};

/// The SSH sessions of a caller, as it reports them.
struct CallerSessions {
    std::vector<FlowFilter> own;    ///< the session that the caller works through, if certain
    std::vector<FlowFilter> found;  ///< otherwise the visible ones, one of which may be the caller's

    friend bool operator==(const CallerSessions&, const CallerSessions&) = default;
};

struct OperationCounts {
    std::uint64_t scanned = 0;
    std::uint64_t matched = 0;
    std::uint64_t flushed = 0;
    std::uint64_t gone = 0;
    std::uint64_t failed = 0;
    std::uint64_t protected_flows = 0;
    std::uint64_t age_unknown = 0;    ///< left out: a minimum age was requested, and the flow's age is unknown
    std::uint64_t bytes_unknown = 0;  ///< left out: minimum bytes were requested, and the flow has no counters
    std::uint64_t closed = 0;         ///< left out: only active flows were requested, which these match otherwise

    /// By VerdictResult; absent: the flows were not judged. A flush has those of the rematch that found its flows.
    std::array<std::optional<std::uint64_t>, kNames<VerdictResult>.size()> verdicts{};

    [[nodiscard]] std::optional<std::uint64_t>& of(VerdictResult result) {
        return verdicts[static_cast<std::size_t>(result)];
    }
    [[nodiscard]] std::uint64_t of(VerdictResult result) const {
        return verdicts[static_cast<std::size_t>(result)].value_or(0);
    }

    friend bool operator==(const OperationCounts&, const OperationCounts&) = default;
};

/// A rule by which a flush spared flows, and how many. A flow counts for the first rule that protects it.
struct ProtectedBy {
    std::string rule;  ///< `protected: FILTER`, or which SSH sessions or connection (operations/protection.h)
    std::uint64_t flows = 0;

    friend bool operator==(const ProtectedBy&, const ProtectedBy&) = default;
};

/// A rule that refuses flows, and how many.
struct RefusedBy {
    RuleReference rule;
    RefusalKind kind = RefusalKind::Drop;
    std::uint64_t flows = 0;
    std::optional<std::uint64_t> bytes;  ///< in both directions; absent if the kernel counted none

    friend bool operator==(const RefusedBy&, const RefusedBy&) = default;
};

/// Why flows could not be judged, and how many.
struct UnknownReason {
    std::string reason;
    std::optional<RuleReference> rule;
    std::uint64_t flows = 0;

    friend bool operator==(const UnknownReason&, const UnknownReason&) = default;
};

/// The part of a request (operations/operation_request.h) that its operation keeps.
struct FlowRequest {
    OperationType type = OperationType::Capture;
    Caller caller;
    FlowQuery query;             ///< for a flush of captured flows: the capture's query
    std::string from_operation;  ///< whose flows are flushed; empty: flows that match now, or flows from a file
    bool dry_run = false;
    bool include_protected = false;   ///< protected flows are flushed, too
    bool include_translated = false;  ///< of a rematch's flows also those that would be translated otherwise
    Consent consent = Consent::Given;

    friend bool operator==(const FlowRequest&, const FlowRequest&) = default;
};

struct FlowOperation : FlowRequest {
    std::string id;  ///< lower-case UUID
    OperationStatus status = OperationStatus::InProgress;
    OperationPhase phase = OperationPhase::Identifying;  ///< meaningful only while in progress
    std::string status_message;                          ///< may be empty
    std::string detail;                                  ///< headgate's own explanation of the status message
    bool refused = false;  ///< Failed because a guard refused the request, before anything was changed
    Endpoint endpoint;
    Timestamp requested_at{};
    std::optional<std::chrono::seconds> machine_up;  ///< time from boot to the request; absent if not recorded
    std::chrono::milliseconds duration{0};
    std::string asked;  ///< the whole request as text, if it came with a token; empty otherwise
    std::string plan;   ///< how the table is searched; human-readable
    OperationCounts counts;
    std::vector<ProtectedBy> protected_by;
    std::string stream_exception_policy = "none";  ///< name of the policy in force
    bool policy_applied = false;                   ///< it was not in force before this flush, and stays in force
    bool blocked = false;  ///< the policy catches later packets of the flushed flows, and lets none of them through
    /// The end of that for the first of the flows to be forgotten; absent if they stay blocked while the policy is in
    /// force.
    std::optional<Timestamp> blocked_until;
    std::optional<Timestamp> last_blocked_until;  ///< for the last of them, if each has a time of its own
    /// By which the flows were judged, without its warnings; absent if they were not.
    std::optional<JudgedRuleset> ruleset;
    std::vector<RefusedBy> refused_by;           ///< the rules that refuse most flows, the first one most
    std::vector<UnknownReason> unknown_reasons;  ///< likewise
    std::vector<std::string> warnings;           ///< for the operator, in addition to the result
    unsigned restarts = 0;                       ///< scans repeated because the table was resized
    bool empty_table = false;                    ///< the searched flow table had no flow at all

    friend bool operator==(const FlowOperation&, const FlowOperation&) = default;
};

/// Whether it changes no flow: then it needs no journal, and runs even if it cannot be stored.
[[nodiscard]] inline bool only_looks(const FlowRequest& request) {
    return request.dry_run || request.consent != Consent::Given || !kind_of(request.type).changes_flows;
}

[[nodiscard]] inline bool has_verdicts(const FlowOperation& operation) {
    return kind_of(operation.type).has_verdicts || operation.ruleset;
}

/// What people call the status of an operation that was refused by a guard, or by its user; it is FAILED.
inline constexpr std::string_view kRefused = "REFUSED";
inline constexpr std::string_view kDeclined = "DECLINED";

/// The status, or one of these.
[[nodiscard]] inline std::string_view result_of(const FlowOperation& operation) {
    if (!operation.refused) return to_string(operation.status);
    return operation.consent == Consent::Declined ? kDeclined : kRefused;
}

/// How many flows a dry run would have ended.
[[nodiscard]] inline std::uint64_t would_be_flushed(const FlowOperation& operation) {
    const auto& counts = operation.counts;
    if (operation.status == OperationStatus::Failed) return 0;
    return counts.matched - std::min(counts.matched, counts.gone + counts.failed + counts.protected_flows);
}

/// The time against which the ages of the operation's flows are computed.
[[nodiscard]] Moment moment_of(const FlowOperation& operation);

}  // namespace headgate
