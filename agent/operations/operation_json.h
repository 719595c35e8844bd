// An operation as JSON, without its flows, and back: as users are shown it (docs/output.md), and as the store keeps it.
#pragma once

#include <fmt/format.h>

#include <string>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "flow/json_reader.h"

namespace headgate::operations {

/// Appends what is known when an operation begins: the members without the braces, so that more can follow.
void append_request_members(fmt::memory_buffer& out, const FlowOperation& operation);

/// Appends what is known when it has ended, with a comma in front.
void append_result_members(fmt::memory_buffer& out, const FlowOperation& operation);

/// Both, as one object.
void append_operation_json(fmt::memory_buffer& out, const FlowOperation& operation);

/// Reads it back; members that are not known are passed over: a newer agent may tell more. The phase of an operation
/// that has ended is not told, and times are told to the millisecond. All else comes back as it was.
[[nodiscard]] Result<FlowOperation> read_operation(const JsonObject& object);

/// The store's document: everything but id, type, status, firewall, availability zone and time of the request, which
/// are columns.
[[nodiscard]] std::string to_document(const FlowOperation& operation);

/// Adds what a document says; it comes back equal.
[[nodiscard]] Result<void> read_document(const std::string& document, FlowOperation& operation);

}  // namespace headgate::operations
