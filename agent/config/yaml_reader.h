// Reads what people write in YAML, and tells them the line in which it is wrong: `/etc/x.yaml:4: hooks: "up" is none of
// ...`.
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

/// A map whose keys are known ones, each given once. It is asked for values by key; `parse` is a function that makes a
/// Result of a text. Every error is Invalid and tells file, line and key.
class YamlMap {
  public:
    /// Leaves the slot as it is where the key is absent.
    template <typename T>
    [[nodiscard]] Result<void> take(std::string_view key, T& slot, Result<T> (*parse)(std::string_view)) const;

    template <typename T>
    [[nodiscard]] Result<void> require(std::string_view key, T& slot, Result<T> (*parse)(std::string_view)) const;

    /// A list that is not empty and holds nothing twice. Leaves the slot as it is where the key is absent.
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
    /// Nothing where the node is a text.
    [[nodiscard]] Result<void> expect_text(std::string_view key, const YamlNode& node, int line_if_empty) const;
    [[nodiscard]] tl::unexpected<Error> error(int line, std::string_view key, std::string_view rule) const;

    std::shared_ptr<const Document> document_;
    int line_ = 1;
    std::string path_;  ///< the keys that lead here, each with a colon behind it
    std::vector<Entry> entries_;
};

/// A text whose root is a map. `name` is what errors call the file.
[[nodiscard]] Result<YamlMap> parse_yaml(const std::string& text, std::string_view name,
                                         std::initializer_list<std::string_view> known);

template <typename T>
Result<void> YamlMap::take(std::string_view key, T& slot, Result<T> (*parse)(std::string_view)) const {
    const auto* entry = find(key);
    if (entry == nullptr) return {};
    if (auto text = expect_text(key, *entry->value, entry->key->line); !text) return text;
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
    const auto nodes = items(*entry);
    if (!nodes) return tl::unexpected(nodes.error());
    std::vector<T> values;
    for (const auto& node : **nodes) {
        if (auto text = expect_text(key, node, entry->key->line); !text) return text;
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
