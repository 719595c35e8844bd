// SPDX-License-Identifier: GPL-2.0-or-later
// What headgate reads back from its table: which policy is in force, from the comment of the chain kNoteChain, and to
// what a counter belongs, from its name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "headgate/ruleset.h"
#include "headgate/stream_exception_policy.h"

namespace headgate::midstream {

/// The comment of kNoteChain: the policy without description, hooks, priority and log, a fingerprint of the whole text,
/// and the generation. At most 127 characters (NFTNL_UDATA_COMMENT_MAXLEN - 1) up to generation 999.
[[nodiscard]] std::string note_text(const StreamExceptionPolicy& policy, std::uint32_t generation);

struct Note {
    StreamExceptionPolicy policy;  ///< without hooks and priority
    std::string fingerprint;
    std::uint32_t generation = 0;
};

/// Parses such a comment; absent if it is not headgate's.
[[nodiscard]] std::optional<Note> parse_note(std::string_view text);

/// Parses a counter's name, such as `reject_forward_original_tcp`; absent for other names.
[[nodiscard]] std::optional<PolicyCounter> parse_counter_name(std::string_view name);

}  // namespace headgate::midstream
