// The configuration in force as JSON, for whoever wants to know what a gateway goes by.
#pragma once

#include <fmt/format.h>

#include "config/configuration.h"

namespace headgate::gateway {

/// `{"configuration": {...}, "files": [...]}`: every setting by the name and in the words that a file has for it, so
/// that the object, put into a file, is the same configuration again; and the files that it was read from. It has no
/// secrets: where keys and credentials are kept, and not what they are.
void append_configuration_json(fmt::memory_buffer& out, const config::Configuration& configuration);

/// `{"configuration": {...}}` with what concerns its firewalls alone: no files, no protected filters, nothing of how
/// the agent is reached and where it writes.
void append_firewall_configuration_json(fmt::memory_buffer& out, const config::Configuration& configuration);

}  // namespace headgate::gateway
