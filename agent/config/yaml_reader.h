// SPDX-License-Identifier: GPL-2.0-or-later
// Reads YAML files; errors have the line: `/etc/x.yaml:4: hooks: "up" is none of ...`.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/result.h"

#include "config/yaml_tree.h"

namespace headgate::config {

/// A map with known keys, each present at most once. Values are read by key; `parse` converts a text to a Result. Every
/// error is Invalid and states file, line and key.
class YamlMap {
  public:
    /// Leaves the slot unchanged if the key is absent.
    template <typename T>
    [[nodiscard]] Result<void> take(std::string_view key, T& slot, Result<T> (*parse)(std::string_view)) const;

    template <typename T>
    [[nodiscard]] Result<void> require(std::string_view key, T& slot, Result<T> (*parse)(std::string_view)) const;

    /// Reads a list that must not be empty or have duplicates. Leaves the slot unchanged if the key is absent.
    template <typename T>
    [[nodiscard]] Result<void> take_set(std::string_view key, std::vector<T>& slot,
                                        Result<T> (*parse)(std::string_view)) const;

    [[nodiscard]] Result<std::optional<YamlMap>> map(std::string_view key,
                                                     std::initializer_list<std::string_view> known) const;

  private:
    friend Result<YamlMap> parse_yaml(const std::string&, std::string_view, std::initializer_list<std::string_view>);

    struct Document {
        std::string name;
        YamlNode root;
    };
    struct Entry {
        const YamlNode* key;
        const YamlNode* value;
    };

    static Result<YamlMap> open(std::shared_ptr<const Document> document, const YamlNode& node, int line,
                                std::string path, std::initializer_list<std::string_view> known);

    [[nodiscard]] Result<void> add(const YamlNode& key, const YamlNode& value,
                                   std::initializer_list<std::string_view> known);
    [[nodiscard]] const Entry* find(std::string_view key) const;
    [[nodiscard]] Result<const std::vector<YamlNode>*> items(const Entry& entry) const;
    /// Fails if the node is not a text.
    [[nodiscard]] Result<void> expect_text(std::string_view key, const YamlNode& node, int line_if_empty) const;
    [[nodiscard]] tl::unexpected<Error> error(int line, std::string_view key, std::string_view rule) const;

    std::shared_ptr<const Document> document_;
    int line_ = 1;
    std::string path_;  ///< the keys on the path, each followed by a colon
    std::vector<Entry> entries_;
};

/// Parses a text whose root is a map. Errors refer to the file as `name`.
[[nodiscard]] Result<YamlMap> parse_yaml(const std::string& text, std::string_view name,
                                         std::initializer_list<std::string_view> known);

template <typename T>
Result<void> YamlMap::take(std::string_view key, T& slot, Result<T> (*parse)(std::string_view)) const {
    const auto* entry = find(key);
    if (entry == nullptr) return {};
    RETURN_IF_ERROR(expect_text(key, *entry->value, entry->key->line));
    auto value = parse(entry->value->text);
    if (!value) return error(entry->value->line, key, value.error().message);
    slot = std::move(*value);
    return {};
}

template <typename T>
Result<void> YamlMap::require(std::string_view key, T& slot, Result<T> (*parse)(std::string_view)) const {
    if (find(key) == nullptr) return error(line_, key, "missing");
    return take(key, slot, parse);
}

template <typename T>
Result<void> YamlMap::take_set(std::string_view key, std::vector<T>& slot, Result<T> (*parse)(std::string_view)) const {
    const auto* entry = find(key);
    if (entry == nullptr) return {};
    ASSIGN_OR_RETURN(const auto nodes, items(*entry));
    std::vector<T> values;
    for (const auto& node : *nodes) {
        RETURN_IF_ERROR(expect_text(key, node, entry->key->line));
        auto value = parse(node.text);
        if (!value) return error(node.line, key, value.error().message);
        const bool twice = std::ranges::find(values, *value) != values.end();
        if (twice) return error(node.line, key, fmt::format("\"{}\" is in the list twice", node.text));
        values.push_back(std::move(*value));
    }
    slot = std::move(values);
    return {};
}

}  // namespace headgate::config
