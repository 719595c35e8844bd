// SPDX-License-Identifier: GPL-2.0-or-later
// Completes the word at the cursor of a command line.
#pragma once

#include <span>
#include <string>

#include "cli/command_description.h"

namespace headgate::cli {

struct Completion {
    Candidates candidates;
    ValueHint::Paths paths = ValueHint::Paths::None;  ///< offered if no candidate fits
};

/// `typed` is the command line including the program's name, and `cursor_word` the index of the word to complete. The
/// candidates need not begin with that word, because shells match them by different rules. They take the place of what
/// follows its last `=`. bash splits words at `=` and `:`, and then candidates take the place of what follows the last
/// of these.
[[nodiscard]] Completion complete(const CommandDescription& headgate, std::span<const std::string> typed,
                                  std::size_t cursor_word);

}  // namespace headgate::cli
