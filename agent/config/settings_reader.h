// Reads a YAML tree by a list of settings, and finds everything that is wrong with it.
#pragma once

#include <cstdint>
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

/// Whether a fault may repeat a key that no setting has: in a file of secrets it may be one that slipped.
enum class Quoting : std::uint8_t { Allowed, Forbidden };

/// Gives every key of the tree to its setting. Faults come in the order of their lines; where there is one, the target
/// is of no use. A text without anything in it leaves the target as it is.
[[nodiscard]] std::vector<Fault> read_settings(const YamlNode& root, const SettingMap& settings,
                                               Quoting quoting = Quoting::Allowed);

}  // namespace headgate::config
