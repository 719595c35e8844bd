// SPDX-License-Identifier: GPL-2.0-or-later
// Short ids of operations: wherever an id is taken, its first characters do if no other operation's id begins with
// them.
#pragma once

#include <string>
#include <string_view>

#include "headgate/result.h"

#include "gateway/gateway.h"

namespace headgate::gateway {

inline constexpr std::size_t kShortestId = 4;

/// Whether the text has the form of an operation's id, or of its first characters.
[[nodiscard]] bool is_operation_id(std::string_view text);

/// The same for less than a whole id.
[[nodiscard]] bool is_short_id(std::string_view text);

/// Such an id, or its first characters, in lower case.
[[nodiscard]] Result<std::string> parse_operation_id(std::string_view text);

/// The id that begins with `text`, among the operations that the gateway lists. An error names the operations if there
/// are several. Returns the text itself if it begins no id.
[[nodiscard]] Result<std::string> whole_operation_id(FlowOperations& operations, std::string_view text);

}  // namespace headgate::gateway
