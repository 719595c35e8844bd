// SPDX-License-Identifier: GPL-2.0-or-later
// Parses a YAML text to a tree of values with their lines, and says in plain words what keeps a text from being YAML:
// yaml-cpp's own messages are about its grammar.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/names.h"
#include "headgate/result.h"

namespace headgate::config {

struct YamlNode {
    enum class Kind : std::uint8_t { Null, Text, List, Map };

    Kind kind = Kind::Null;
    int line = 1;  ///< starts at 1
    std::string text;
    std::vector<YamlNode> children;  ///< a list's items; a map's keys and values alternating
};

/// Parses one document of plain values. Anchors, aliases and tags are rejected, so that a short text cannot expand to a
/// large tree or be given another meaning. An error starts with the position: `NAME:LINE: a tab in the indentation`.
[[nodiscard]] Result<YamlNode> parse_yaml_tree(const std::string& text, std::string_view name);

}  // namespace headgate::config

/// For errors: `a list belongs here, not a text`.
template <>
inline constexpr auto headgate::kNames<headgate::config::YamlNode::Kind> = headgate::name_list("nothing", "a text",
                                                                                               "a list", "a map");
