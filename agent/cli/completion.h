// What shells complete of the command line. Both scripts are checked in under packaging/completion; a test holds them
// to what these functions say.
#pragma once

#include <string>

#include "cli/command_description.h"

namespace headgate::cli {

/// For bash 4.1 and later, with or without its package bash-completion.
[[nodiscard]] std::string bash_completion(const CommandDescription& headgate);

[[nodiscard]] std::string zsh_completion(const CommandDescription& headgate);

}  // namespace headgate::cli
