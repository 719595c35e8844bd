// SPDX-License-Identifier: GPL-2.0-or-later
// What a shell can offer at the cursor of a command line.
#pragma once

#include <span>
#include <string>

#include "cli/command_description.h"

namespace headgate::cli {

struct Completion {
    Candidates candidates;
    ValueHint::Paths paths = ValueHint::Paths::None;  ///< offered where no candidate fits
};

/// `words` are those of the command line, headgate's own name first, and `position` is the one to complete. Candidates
/// do not have to begin as that word does: shells differ in what they let fit. Of `--output=js` only the value is
/// completed. bash passes an option, its `=` and its value as three words.
[[nodiscard]] Completion complete(const CommandDescription& headgate, std::span<const std::string> words,
                                  std::size_t position);

}  // namespace headgate::cli
