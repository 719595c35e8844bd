// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/quarantine_json.h"

#include "flow/json_fields.h"
#include "gateway/session_fields.h"
#include "operations/operation_fields.h"
#include "quarantine/quarantine_rules.h"

namespace headgate {

template <typename Members, MaybeConst<QuarantineEntry> Object>
void list_members(Members& members, Object& entry) {
    members.required("address", entry.prefix, parse_prefix);
    members.required("action", entry.action);
    members.required("seconds_left", entry.left);
    members.required("since", entry.since);
    members.required("by", entry.by);
    members.optional("reason", entry.reason);
    members.required("packets", entry.packets);
    members.required("bytes", entry.bytes);
    members.required("in_force", entry.is_in_force);
}

namespace gateway {

template <typename Members, MaybeConst<EndpointQuarantine> Object>
void list_members(Members& members, Object& quarantine) {
    list_members(members, quarantine.endpoint);
    members.objects("quarantine", quarantine.entries);
    members.optional("offloaded_flows", quarantine.offloaded_flows);
    members.optional("warnings", quarantine.warnings);
}

namespace {

using operations::QuarantineStep;

template <typename Members, MaybeConst<QuarantineRequest> Request>
void list_request(Members& members, QuarantineStep step, Request& request) {
    members.required("addresses", request.prefixes, quarantine::parse_quarantined);
    if (step == QuarantineStep::Remove) return;
    members.required("for_seconds", request.time);
    if (step != QuarantineStep::Add) return;
    members.optional("action", request.action);
    members.optional("reason", request.reason, quarantine::parse_reason);
    members.optional("include_protected", request.include_protected);
    members.optional("wide", request.wide);
    list_sessions(members, request.sessions);
}

}  // namespace

void append_quarantine_entry_json(fmt::memory_buffer& out, const QuarantineEntry& entry) {
    append_json_object(out, entry);
}

void append_endpoint_quarantine_json(fmt::memory_buffer& out, const EndpointQuarantine& quarantine) {
    append_json_object(out, quarantine);
}

Result<EndpointQuarantine> read_endpoint_quarantine_json(const std::string& text) {
    return read_json_object<EndpointQuarantine>(text);
}

std::string quarantine_request_json(QuarantineStep step, const QuarantineRequest& request) {
    fmt::memory_buffer out;
    out.push_back('{');
    JsonMembers json{out};
    MemberWriter members{json};
    list_request(members, step, request);
    out.push_back('}');
    return fmt::to_string(out);
}

Result<void> read_quarantine_request_json(QuarantineStep step, const std::string& text, QuarantineRequest& request) {
    const auto object = parse_json_object(text);
    if (!object) return tl::unexpected(Error{object.error()}.within("body"));
    JsonReader reader{*object, JsonReader::Others::Refused};
    MemberReader members{reader};
    list_request(members, step, request);
    return reader.finish().and_then([&] { return check_sessions(request.sessions); });
}

}  // namespace gateway
}  // namespace headgate
