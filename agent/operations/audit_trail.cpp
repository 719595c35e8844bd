// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/audit_trail.h"

#include <fmt/format.h>

#include <chrono>

#include "base/error_kinds.h"
#include "flow/flow_json.h"
#include "operations/operation_fields.h"
#include "operations/state_error.h"

namespace headgate::operations {
namespace {

/// Bytes of a line with twenty filters and a long detail.
constexpr off_t kRoom = 16 * 1024;

/// How long to wait for another process that writes its line.
constexpr std::chrono::seconds kLockPatience{10};

void write_who(MemberWriter& members, const Caller& caller, const Endpoint& endpoint) {
    members.object("caller", caller);
    members.optional("source_address", caller.source_address);
    list_members(members, endpoint);
}

/// `detail`: of a success.
void write_result(MemberWriter& members, const Result<void>& result, std::string_view detail) {
    const bool refused = !result && is_refusal(result.error());
    members.required("result", result ? "COMPLETED" : refused ? "REFUSED" : "FAILED");
    members.optional("detail", result ? detail : std::string_view{result.error().message});
}

}  // namespace

Result<void> AuditTrail::ready() {
    const std::lock_guard lock{mutex_};
    RETURN_IF_ERROR(open());
    const auto kept = open_->keep_room(kRoom);
    return kept ? kept : failure(kept.error());
}

Result<void> AuditTrail::record(const FlowOperation& operation) {
    const auto& kind = kind_of(operation.type);
    return append([&](MemberWriter& members) {
        members.optional("operation_id", operation.id);
        members.required("action", kind.verb);
        write_who(members, operation.caller, operation.endpoint);
        members.required("requested_at", operation.requested_at);
        list_members(members, operation.query, kind.default_states);
        members.optional("from_capture", operation.from_operation);
        members.required("dry_run", operation.dry_run);
        members.required("include_protected", operation.include_protected);
        members.optional("include_translated", operation.include_translated);
        members.optional_object("ruleset", operation.ruleset);
        members.required("stream_exception_policy", operation.stream_exception_policy);
        members.required("result", result_of(operation));
        members.optional("detail", operation.detail);
        members.object("counts", operation.counts);
        members.required("duration_ms", operation.duration);
    });
}

Result<void> AuditTrail::record(const PolicyChange& change, const Result<void>& result) {
    return append([&](MemberWriter& members) {
        members.optional("operation_id", change.operation_id);
        members.required("action", change.action);
        write_who(members, change.caller, change.endpoint);
        members.optional("stream_exception_policy", change.policy);
        write_result(members, result, change.reason);
    });
}

Result<void> AuditTrail::record(const QuarantineChange& change, const Result<void>& result) {
    return append([&](MemberWriter& members) {
        members.required("action", change.step);
        write_who(members, change.caller, change.endpoint);
        members.required("addresses", change.prefixes);
        if (change.step == QuarantineStep::Add) members.required("quarantine", change.action);
        members.optional("for_seconds", change.time);
        members.optional("reason", change.reason);
        members.optional("include_protected", change.include_protected);
        write_result(members, result, {});
    });
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

Result<void> AuditTrail::append(const std::function<void(MemberWriter&)>& list) {
    fmt::memory_buffer line;
    line.push_back('{');
    JsonMembers json{line};
    MemberWriter members{json};
    members.required("time", clock_.now());
    list(members);
    line.append(std::string_view{"}\n"});

    const std::lock_guard lock{mutex_};
    RETURN_IF_ERROR(open());
    const auto appended = open_->append({line.data(), line.size()}, kLockPatience);
    return appended ? Result<void>{} : failure(appended.error());
}

tl::unexpected<Error> AuditTrail::failure(const Error& error) const {
    return state_error(error.number, fmt::format("audit log {}", file_.native()));
}

}  // namespace headgate::operations
