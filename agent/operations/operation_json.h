// SPDX-License-Identifier: GPL-2.0-or-later
// An operation as JSON, without its flows: for users, with keys that are a stable interface (docs/output.md), and for
// the store.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

namespace headgate::operations {

/// Appends the members known at the start, without braces, so that more can follow.
void append_request_members(fmt::memory_buffer& out, const FlowOperation& operation);

/// Appends the members known at the end, after a comma.
void append_result_members(fmt::memory_buffer& out, const FlowOperation& operation);

/// Both, as one object.
void append_operation_json(fmt::memory_buffer& out, const FlowOperation& operation);

/// The store's document: all members but id, type, status, firewall, availability zone and request time, which are
/// columns.
[[nodiscard]] std::string to_document(const FlowOperation& operation);

/// Adds the members of a document, without loss.
[[nodiscard]] Result<void> read_document(std::string_view document, FlowOperation& operation);

}  // namespace headgate::operations
