// A stream exception policy in nftables' own language. Pure: text in, text out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "headgate/ruleset.h"
#include "headgate/stream_exception_policy.h"

namespace headgate::midstream {

inline constexpr std::string_view kTable = "headgate";      ///< of family inet
inline constexpr std::string_view kNoteChain = "in_force";  ///< has no rules; its comment says which policy this is

inline constexpr std::string_view kSilenceChain = "silence";      ///< drops what is invalid in place of rejecting it
inline constexpr std::string_view kExceptionChain = "exception";  ///< every policy has one, of its edition

/// The chains of a policy stand beside those of the one before until no packet needs these any more. So the names of
/// all but kNoteChain end in a number: `forward_2`. Those of edition 0, which earlier versions made, have none.
inline constexpr std::uint32_t kFirstEdition = 1;
[[nodiscard]] std::string chain_name(std::string_view stem, std::uint32_t edition);

/// What the table `inet headgate` holds for this policy. Added to a table that has neither kNoteChain nor chains of the
/// edition; sets and counters may exist.
[[nodiscard]] std::string ruleset_text(const StreamExceptionPolicy& policy, std::uint32_t edition);

/// The sets that remember so many flows at most; part of the above where the scope is Flushed.
[[nodiscard]] std::string set_declarations(std::uint32_t size);

/// What the comment of kNoteChain says: the policy but for description, hooks, priority and log, a fingerprint of the
/// whole text, and the edition. At most 127 characters (NFTNL_UDATA_COMMENT_MAXLEN - 1) up to edition 999.
[[nodiscard]] std::string note_text(const StreamExceptionPolicy& policy, std::uint32_t edition);

struct Note {
    StreamExceptionPolicy policy;  ///< hooks and priority are not in it
    std::string fingerprint;
    std::uint32_t edition = 0;
};

/// Reads such a comment; absent when it is none of headgate's.
[[nodiscard]] std::optional<Note> parse_note(std::string_view text);

/// `reject_forward_original_tcp` as the counter that it names; absent for other names.
[[nodiscard]] std::optional<PolicyCounter> parse_counter_name(std::string_view name);

}  // namespace headgate::midstream
