// SPDX-License-Identifier: GPL-2.0-or-later
// Checks what a configuration names and this machine must have: files, directories, policies, network namespaces. The
// agent checks it before it changes anything, and `headgate check-config` reports it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "headgate/result.h"

#include "config/configuration.h"
#include "files/file_identity.h"

namespace headgate::daemon {

/// What a fault keeps the agent from.
enum class Prevents : std::uint8_t {
    Starting,   ///< and reloading
    Reloading,  ///< it starts and retries, but a reload would lose the policy in force
    Nothing,    ///< it serves what it can, and waits for the rest
};

struct ConfigurationFault {
    Prevents prevents = Prevents::Starting;
    std::string message;  ///< one line
};

/// Finds all faults. Accesses files as `agent`: the agent passes its own identity, another process that of the state
/// directory's owner, who is the agent's user.
[[nodiscard]] std::vector<ConfigurationFault> check_configuration(const config::Configuration& configuration,
                                                                  const FileIdentity& agent);

/// Faults that prevent this or an earlier enumerator's action: an error with a line for each.
[[nodiscard]] Result<void> verdict(const std::vector<ConfigurationFault>& faults, Prevents prevents);

}  // namespace headgate::daemon
