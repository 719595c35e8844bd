// A YAML text as a tree of values, each with its line. The only place that knows yaml-cpp.
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
    int line = 1;  ///< 1 is the first
    std::string text;
    std::vector<YamlNode> children;  ///< of a list its items; of a map its keys and values in turn
};

/// One document of plain values: no anchors, no aliases, no tags, so that a short text can't stand for a large tree or
/// for anything but what it says. An error says where it is in front: `NAME:LINE: not YAML: illegal map value`.
[[nodiscard]] Result<YamlNode> parse_yaml_tree(const std::string& text, std::string_view name);

}  // namespace headgate::config

/// For errors: `a list belongs here, not a text`.
template <>
inline constexpr auto headgate::kNames<headgate::config::YamlNode::Kind> = headgate::name_list("nothing", "a text",
                                                                                               "a list", "a map");
