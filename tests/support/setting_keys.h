// SPDX-License-Identifier: GPL-2.0-or-later
// The keys of all settings, and of those in a text.
#pragma once

#include <fmt/format.h>

#include <set>
#include <string>

#include "config/settings.h"
#include "config/yaml_tree.h"

namespace headgate::testing {

/// Collects all keys in a tree, such as `http.listeners.port`.
inline void collect_keys(const config::YamlNode& node, const std::string& path, std::set<std::string>& keys) {
    for (std::size_t i = 0; i < node.children.size(); ++i) {
        if (node.kind == config::YamlNode::Kind::List) collect_keys(node.children[i], path, keys);
        if (node.kind != config::YamlNode::Kind::Map || i % 2 != 0) continue;
        const auto key = path + node.children[i].text;
        keys.insert(key);
        collect_keys(node.children[i + 1], key + ".", keys);
    }
}

inline void collect_keys(const config::SettingMap& map, const std::string& path, std::set<std::string>& keys) {
    for (const auto& setting : map.settings) {
        const auto key = fmt::format("{}{}", path, setting.key);
        keys.insert(key);
        if (setting.open) collect_keys(setting.open(), key + ".", keys);
    }
}

inline std::set<std::string> keys_of(const config::YamlNode& tree) {
    std::set<std::string> keys;
    collect_keys(tree, "", keys);
    return keys;
}

inline std::set<std::string> keys_of_settings() {
    config::Configuration fresh;
    std::set<std::string> keys;
    collect_keys(config::settings_of(fresh), "", keys);
    return keys;
}

}  // namespace headgate::testing
