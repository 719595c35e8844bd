// Reads a YAML tree by a list of settings, and finds everything that is wrong with it.
#pragma once

#include <string>
#include <vector>

#include "config/setting.h"
#include "config/yaml_tree.h"

namespace headgate::config {

/// What is wrong, and in which line: `http: listeners: port: 70000 is not within 1..65535`.
struct Fault {
    int line = 1;
    std::string text;

    friend bool operator==(const Fault&, const Fault&) = default;
};

/// Gives every key of the tree to its setting. Faults come in the order of their lines; where there is one, the target
/// is of no use. A text without anything in it leaves the target as it is.
[[nodiscard]] std::vector<Fault> read_settings(const YamlNode& root, const SettingMap& settings);

}  // namespace headgate::config
