// SPDX-License-Identifier: GPL-2.0-or-later
// A stream exception policy in nftables syntax. Pure functions: text in, text out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "headgate/stream_exception_policy.h"

namespace headgate::midstream {

inline constexpr std::string_view kTable = "headgate";      ///< of family inet
inline constexpr std::string_view kNoteChain = "in_force";  ///< has no rules; its comment describes the policy

inline constexpr std::string_view kSilenceChain = "silence";      ///< drops invalid packets instead of rejecting them
inline constexpr std::string_view kExceptionChain = "exception";  ///< every policy has one, of its generation

/// A policy's chains exist beside those of the previous one until no packet needs these any more. So the names of all
/// but kNoteChain end in a number: `forward_2`. Those of generation 0, which earlier versions created, have none.
inline constexpr std::uint32_t kFirstGeneration = 1;
[[nodiscard]] std::string chain_name(std::string_view stem, std::uint32_t generation);

/// All but the note.
[[nodiscard]] std::string rules_text(const StreamExceptionPolicy& policy, std::uint32_t generation);

/// The contents of the table `inet headgate` for this policy. For a table that has neither kNoteChain nor chains of the
/// generation; sets and counters may exist.
[[nodiscard]] std::string ruleset_text(const StreamExceptionPolicy& policy, std::uint32_t generation);

/// The sets that remember at most `size` flows; part of ruleset_text() if the scope is Flushed.
[[nodiscard]] std::string set_declarations(std::uint32_t size);

}  // namespace headgate::midstream
