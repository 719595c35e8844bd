// SPDX-License-Identifier: GPL-2.0-or-later
// The audit trail: one JSON line for every request to a gateway, carried out or refused.
//
// Several processes may share the file. The members of a line are a stable interface (docs/operations.md).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/clock.h"
#include "headgate/flow_operation.h"
#include "headgate/names.h"
#include "headgate/quarantine.h"
#include "headgate/result.h"

#include "files/append_file.h"
#include "flow/json_fields.h"

namespace headgate::operations {

enum class PolicyAction : std::uint8_t { Apply, Remove };

/// A change of the stream exception policy, requested or carried out by the agent itself.
struct PolicyChange {
    PolicyAction action = PolicyAction::Apply;
    std::string policy;  ///< name; empty where none was given
    Endpoint endpoint;
    Caller caller;
    std::string operation_id{};  ///< of the flush that applied it; empty: none did
    std::string reason{};        ///< of the agent
};

enum class QuarantineStep : std::uint8_t { Add, Extend, Remove, Restore };

/// A change of the quarantine, requested or carried out by the agent itself.
struct QuarantineChange {
    QuarantineStep step = QuarantineStep::Add;
    std::vector<Prefix> prefixes;
    QuarantineAction action = QuarantineAction::Drop;  ///< of an addition
    std::chrono::seconds time{0};                      ///< from now on; 0: not used
    std::string reason;
    bool include_protected = false;
    Endpoint endpoint;
    Caller caller;
};

/// Thread-safe.
class AuditTrail {
  public:
    /// The file is opened by the first write or by ready(). Its directory is created if missing.
    AuditTrail(std::filesystem::path file, const Clock& clock) : clock_(clock), file_(std::move(file)) {}

    /// Whether a line can be written. To be called before any action that must not go unrecorded.
    [[nodiscard]] Result<void> ready();

    /// Records an operation that ended, or was refused before it began (then without id).
    [[nodiscard]] Result<void> record(const FlowOperation& operation);

    [[nodiscard]] Result<void> record(const PolicyChange& change, const Result<void>& result);
    [[nodiscard]] Result<void> record(const QuarantineChange& change, const Result<void>& result);

    /// Reopens the file by name before the next line (logrotate(8)).
    void reopen();

    /// Writes the following lines to another file.
    void write_to(std::filesystem::path file);

  private:
    [[nodiscard]] Result<void> open();
    /// A line with the time, and what `list` adds.
    [[nodiscard]] Result<void> append(const std::function<void(MemberWriter&)>& list);
    [[nodiscard]] tl::unexpected<Error> failure(const Error& error) const;

    const Clock& clock_;
    std::mutex mutex_;
    std::filesystem::path file_;
    std::optional<AppendFile> open_;
};

}  // namespace headgate::operations

template <>
inline constexpr auto headgate::kNames<headgate::operations::PolicyAction> = headgate::name_list("policy_apply",
                                                                                                 "policy_remove");
template <>
inline constexpr auto headgate::kNames<headgate::operations::QuarantineStep> =
    headgate::name_list("quarantine_add", "quarantine_extend", "quarantine_remove", "quarantine_restore");
