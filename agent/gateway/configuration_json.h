// SPDX-License-Identifier: GPL-2.0-or-later
// The configuration in force, as JSON.
#pragma once

#include <fmt/format.h>

#include "config/configuration.h"

namespace headgate::gateway {

/// `{"configuration": {...}, "files": [...]}`: all settings in the names and syntax of a configuration file, so that
/// the object, written to a file, is the same configuration; and the files that it was read from. It has no secrets:
/// the paths of keys and credentials, not their content.
void append_configuration_json(fmt::memory_buffer& out, config::Configuration configuration);

/// `{"configuration": {...}}` with the settings of its firewalls only: no files, protected filters, listeners, logs or
/// directories.
void append_firewall_configuration_json(fmt::memory_buffer& out, config::Configuration configuration);

}  // namespace headgate::gateway
