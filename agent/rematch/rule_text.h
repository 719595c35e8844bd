// SPDX-License-Identifier: GPL-2.0-or-later
// Rules as nft lists them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

namespace headgate::rematch {

/// By family, table, and handle, which is the only one in its table. A rule that nft spreads over lines with rules of
/// its own (`jump { ... }`) is left out.
using RuleTexts = std::map<std::tuple<std::string, std::string, std::uint64_t>, std::string>;

/// Reads what `nft --handle list ruleset`, or `list chain`, printed.
[[nodiscard]] RuleTexts parse_listing(std::string_view listing);

/// The rules of the calling thread's network namespace; empty if nft cannot list them, or if a name is none of nft's.
[[nodiscard]] RuleTexts list_rules();
[[nodiscard]] RuleTexts list_rules_of_chain(std::string_view family, std::string_view table, std::string_view chain);

}  // namespace headgate::rematch
