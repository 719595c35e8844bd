// SPDX-License-Identifier: GPL-2.0-or-later
// The completion scripts from packaging/completion, which are embedded in the program.
#pragma once

#include <string_view>

namespace headgate::cli {

[[nodiscard]] std::string_view bash_completion();
[[nodiscard]] std::string_view zsh_completion();

}  // namespace headgate::cli
