// The audit trail: one JSON line for everything that somebody asked of a gateway, whether it was done or refused.
//
// Several processes may share it. What is in a line is a promise to users (docs/operations.md).
#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "headgate/clock.h"
#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "files/append_file.h"
#include "flow/json_fields.h"

namespace headgate::operations {

/// A change of the stream exception policy that somebody asked for.
struct PolicyChange {
    std::string_view action;  ///< `policy_apply`, `policy_remove`
    std::string policy;       ///< by name; empty where none was named
    Endpoint endpoint;
    Caller caller;
};

/// Thread-safe.
class AuditTrail {
  public:
    /// The file is opened when the first line is written, or by ready(). Its folder is made if it is missing.
    AuditTrail(std::filesystem::path file, const Clock& clock) : clock_(clock), file_(std::move(file)) {}

    /// Whether a line could be written: asked before anything is done that must not go unrecorded.
    [[nodiscard]] Result<void> ready();

    /// An operation that has ended, or was refused before it began (then it has no id).
    [[nodiscard]] Result<void> record(const FlowOperation& operation);

    [[nodiscard]] Result<void> record(const PolicyChange& change, const Result<void>& result);

    /// The next line goes to the file that has the name then (logrotate(8)).
    void reopen();

    /// The next line goes to another file.
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
