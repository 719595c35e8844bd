// SPDX-License-Identifier: GPL-2.0-or-later
// Text forms of verdicts for tables.
#pragma once

#include <fmt/format.h>

#include <string>

#include "headgate/flow_operation.h"
#include "headgate/flow_verdict.h"

#include "cli/text_table.h"

namespace headgate::cli {

/// `inet filter forward handle 12: tcp dport 22 drop`
[[nodiscard]] std::string rule_text(const RuleReference& rule);

/// The rule that refuses the flow, where it would go instead, why its verdict is unknown, or what the verdict assumes.
[[nodiscard]] std::string reason_text(const FlowVerdict& verdict);

/// `19000 allowed, 800 refused, 100 translated, 100 unknown`
[[nodiscard]] std::string verdicts_text(const OperationCounts& counts);

/// The rules that refuse flows, then the reasons of unknown verdicts; nothing where there are none.
void append_reasons(fmt::memory_buffer& out, const FlowOperation& operation, TableLayout layout);

}  // namespace headgate::cli
