// SPDX-License-Identifier: GPL-2.0-or-later
// Reads a YAML tree as a list of settings defines, and finds all errors in it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/setting.h"
#include "config/yaml_tree.h"

namespace headgate::config {

/// An error with its line: `http: listeners: port: 70000 is not within 1..65535`.
struct Fault {
    int line = 1;
    std::string text;

    friend bool operator==(const Fault&, const Fault&) = default;
};

/// Whether an error may quote an unknown key: in a file of secrets the key may be a misplaced secret.
enum class Quoting : std::uint8_t { Allowed, Forbidden };

/// Passes each value of the tree to its setting. Returns the errors sorted by line; if there are any, the target must
/// not be used.
[[nodiscard]] std::vector<Fault> read_settings(const YamlNode& root, const SettingMap& settings,
                                               Quoting quoting = Quoting::Allowed);

}  // namespace headgate::config
