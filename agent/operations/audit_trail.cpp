#include "operations/audit_trail.h"

#include <fmt/format.h>

#include <chrono>

#include "flow/flow_json.h"
#include "flow/json_members.h"
#include "operations/operation_json.h"
#include "operations/state_error.h"

namespace headgate::operations {
namespace {

/// Bytes of a line with twenty filters and a long detail.
constexpr off_t kRoom = 16 * 1024;

/// How long to wait for another process that writes its line.
constexpr std::chrono::seconds kLockPatience{10};

std::string_view result_of(const FlowOperation& operation) {
    return operation.refused ? "REFUSED" : to_string(operation.status);
}

void add_who(JsonMembers& members, const Caller& caller, const Endpoint& endpoint) {
    members.object("caller", [&](JsonMembers& inner) { add_caller(inner, caller); });
    if (!caller.source_address.empty()) members.text("source_address", caller.source_address);
    add_endpoint(members, endpoint);
}

}  // namespace

Result<void> AuditTrail::ready() {
    const std::lock_guard lock{mutex_};
    if (auto opened = open(); !opened) return opened;
    const auto kept = open_->keep_room(kRoom);
    return kept ? kept : failure(kept.error());
}

Result<void> AuditTrail::record(const FlowOperation& operation) {
    fmt::memory_buffer out;
    out.push_back('{');
    JsonMembers members{out};
    members.text("time", to_rfc3339(clock_.now()));
    if (!operation.id.empty()) members.text("operation_id", operation.id);
    members.text("action", operation.type == OperationType::Capture ? "capture" : "flush");
    add_who(members, operation.caller, operation.endpoint);
    members.text("requested_at", to_rfc3339(operation.requested_at));
    add_query_of(members, operation);
    if (!operation.from_operation.empty()) members.text("from_capture", operation.from_operation);
    members.number("dry_run", operation.dry_run);
    members.number("include_protected", operation.include_protected);
    members.text("stream_exception_policy", operation.stream_exception_policy);
    members.text("result", result_of(operation));
    if (!operation.detail.empty()) members.text("detail", operation.detail);
    members.object("counts", [&](JsonMembers& inner) { add_counts(inner, operation.counts); });
    members.number("duration_ms", operation.duration.count());
    out.push_back('}');
    return append(fmt::to_string(out));
}

Result<void> AuditTrail::record(const PolicyChange& change, const Result<void>& result) {
    fmt::memory_buffer out;
    out.push_back('{');
    JsonMembers members{out};
    members.text("time", to_rfc3339(clock_.now()));
    members.text("action", change.action);
    add_who(members, change.caller, change.endpoint);
    if (!change.policy.empty()) members.text("stream_exception_policy", change.policy);
    const bool refused = !result && result.error().kind == ErrorKind::Refused;
    members.text("result", result ? "COMPLETED" : refused ? "REFUSED" : "FAILED");
    if (!result) members.text("detail", result.error().message);
    out.push_back('}');
    return append(fmt::to_string(out));
}

void AuditTrail::reopen() {
    const std::lock_guard lock{mutex_};
    open_.reset();
}

void AuditTrail::write_to(std::filesystem::path file) {
    const std::lock_guard lock{mutex_};
    file_ = std::move(file);
    open_.reset();
}

Result<void> AuditTrail::open() {
    if (open_) return {};
    // A torn line is kept: it is still evidence.
    auto opened = AppendFile::open(file_, TornLine::End);
    if (!opened) return failure(opened.error());
    open_.emplace(std::move(*opened));
    return {};
}

Result<void> AuditTrail::append(std::string_view line) {
    const std::lock_guard lock{mutex_};
    if (auto opened = open(); !opened) return opened;
    const auto appended = open_->append(fmt::format("{}\n", line), kLockPatience);
    return appended ? Result<void>{} : failure(appended.error());
}

tl::unexpected<Error> AuditTrail::failure(const Error& error) const {
    return state_error(error.number, fmt::format("audit log {}", file_.native()));
}

}  // namespace headgate::operations
