// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/yaml_reader.h"

#include <fmt/format.h>

#include "base/printable.h"

namespace headgate::config {

Result<YamlMap> parse_yaml(const std::string& text, std::string_view name,
                           std::initializer_list<std::string_view> known) {
    ASSIGN_OR_RETURN(auto root, parse_yaml_tree(text, name));
    auto document = std::make_shared<const YamlMap::Document>(YamlMap::Document{std::string{name}, std::move(root)});
    return YamlMap::open(document, document->root, document->root.line, "", known);
}

Result<YamlMap> YamlMap::open(std::shared_ptr<const Document> document, const YamlNode& node, int line,
                              std::string path, std::initializer_list<std::string_view> known) {
    YamlMap map;
    map.document_ = std::move(document);
    map.line_ = line;
    map.path_ = std::move(path);
    if (node.kind != YamlNode::Kind::Map) {
        return map.error(line, "", fmt::format("a map of keys and values belongs here, not {}", to_string(node.kind)));
    }
    for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
        RETURN_IF_ERROR(map.add(node.children[i], node.children[i + 1], known));
    }
    return map;
}

Result<void> YamlMap::add(const YamlNode& key, const YamlNode& value, std::initializer_list<std::string_view> known) {
    if (key.kind != YamlNode::Kind::Text)
        return error(key.line, "", "a key is a text, not " + std::string{to_string(key.kind)});
    if (std::ranges::find(known, key.text) == known.end()) {
        return error(key.line, key.text, fmt::format("unknown key (known: {})", fmt::join(known, ", ")));
    }
    if (find(key.text) != nullptr) return error(key.line, key.text, "given twice");
    entries_.push_back({&key, &value});
    return {};
}

Result<std::optional<YamlMap>> YamlMap::map(std::string_view key, std::initializer_list<std::string_view> known) const {
    const auto* entry = find(key);
    if (entry == nullptr) return std::nullopt;
    return open(document_, *entry->value, entry->key->line, fmt::format("{}{}: ", path_, key), known);
}

const YamlMap::Entry* YamlMap::find(std::string_view key) const {
    const auto entry = std::ranges::find(entries_, key, [](const Entry& e) -> std::string_view { return e.key->text; });
    return entry == entries_.end() ? nullptr : &*entry;
}

Result<const std::vector<YamlNode>*> YamlMap::items(const Entry& entry) const {
    const auto& [key, value] = entry;
    if (value->kind != YamlNode::Kind::List) {
        const int line = value->kind == YamlNode::Kind::Null ? key->line : value->line;
        return error(line, key->text, fmt::format("a list belongs here, not {}", to_string(value->kind)));
    }
    if (value->children.empty()) return error(value->line, key->text, "the list is empty");
    return &value->children;
}

Result<void> YamlMap::expect_text(std::string_view key, const YamlNode& node, int line_if_empty) const {
    if (node.kind == YamlNode::Kind::Text) return {};
    // The parser reports an omitted value at the line of what follows it.
    const int line = node.kind == YamlNode::Kind::Null ? line_if_empty : node.line;
    return error(line, key, fmt::format("one value belongs here, not {}", to_string(node.kind)));
}

tl::unexpected<Error> YamlMap::error(int line, std::string_view key, std::string_view rule) const {
    const std::string_view colon = key.empty() ? "" : ": ";
    return invalid("{}", to_one_line(fmt::format("{}:{}: {}{}{}{}", document_->name, line, path_, key, colon, rule)));
}

}  // namespace headgate::config
