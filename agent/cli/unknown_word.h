// SPDX-License-Identifier: GPL-2.0-or-later
// Words of a command line that headgate does not know, or that are missing, and what was probably meant.
#pragma once

#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace headgate::cli {

/// Null if there is none with this name, or only a hidden one.
[[nodiscard]] const CLI::App* find_command(const CLI::App& parent, std::string_view name);

/// `"captur" is no command of headgate; did you mean "capture"?`, or the like about an option or an operand.
[[nodiscard]] std::string unknown_word(const CLI::App& command, std::string_view word);

/// The message about the first word that was not expected; empty if every word was.
[[nodiscard]] std::string about_unknown_word(const CLI::App& root);

/// `headgate policy requires a command: list, ...`; empty if none is missing.
[[nodiscard]] std::string about_missing_command(const CLI::App& root);

}  // namespace headgate::cli
