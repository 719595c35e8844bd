// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/operation_json.h"

#include "operations/operation_fields.h"

namespace headgate::operations {

void append_request_members(fmt::memory_buffer& out, const FlowOperation& operation) {
    JsonMembers members{out};
    MemberWriter writer{members};
    list_request_members(writer, operation);
}

void append_result_members(fmt::memory_buffer& out, const FlowOperation& operation) {
    JsonMembers members{out, JsonMembers::Place::Later};
    MemberWriter writer{members};
    list_result_members(writer, operation);
}

void append_operation_json(fmt::memory_buffer& out, const FlowOperation& operation) {
    append_json_object(out, operation);
}

std::string to_document(const FlowOperation& operation) {
    fmt::memory_buffer out;
    append_json_object(out, operation, JsonForm::Stored);
    return fmt::to_string(out);
}

Result<void> read_document(std::string_view document, FlowOperation& operation) {
    const auto read = parse_json_object(document).and_then(
        [&](const JsonObject& object) { return read_members(object, operation, JsonForm::Stored); });
    if (read) return {};
    return failed("the record of operation {} is damaged: {}", operation.id, read.error().message);
}

}  // namespace headgate::operations
