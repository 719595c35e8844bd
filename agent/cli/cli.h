// SPDX-License-Identifier: GPL-2.0-or-later
// The command line: the tree of commands and their arguments.
#pragma once

namespace headgate::cli {

/// Parses and runs a command line; returns the exit status (exit_code.h).
[[nodiscard]] int run(int argc, const char* const* argv);

}  // namespace headgate::cli
