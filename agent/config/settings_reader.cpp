// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/settings_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/printable.h"
#include "base/text.h"
#include "config/setting.h"
#include "config/yaml_tree.h"

namespace headgate::config {
namespace {

using Kind = YamlNode::Kind;

/// An error with its line: `http: listeners: port: 70000 is not within 1..65535`.
struct Fault {
    int line = 1;
    std::string text;
};

/// The position of a value. An omitted value has none, and the parser reports the line of what follows: then it is the
/// line of the key.
struct Place {
    int line;
    std::string path;  ///< the keys on the path, each followed by a colon and a space

    [[nodiscard]] Place below(std::string_view key, int key_line) const {
        return {key_line, fmt::format("{}{}: ", path, key)};
    }
    [[nodiscard]] Place of(const YamlNode& node) const { return {node.kind == Kind::Null ? line : node.line, path}; }
};

struct Entry {
    const YamlNode* key = nullptr;
    const YamlNode* value = nullptr;
};

/// The first entry with this key.
Entry find(const YamlNode& map, std::string_view key) {
    for (std::size_t i = 0; i + 1 < map.children.size(); i += 2) {
        const auto& each = map.children[i];
        if (each.kind == Kind::Text && each.text == key) return {&each, &map.children[i + 1]};
    }
    return {};
}

std::string known_keys(const std::vector<Setting>& settings) {
    std::vector<std::string_view> keys;
    std::ranges::transform(settings, std::back_inserter(keys), &Setting::key);
    return fmt::format("{}", fmt::join(keys, ", "));
}

class Reader {
  public:
    explicit Reader(Quoting quoting) : quoting_(quoting) {}

    void read_map(const Place& place, const YamlNode& node, const SettingMap& map) {
        if (node.kind != Kind::Map) return find_wrong_kind(place, "a map of keys and values", node);
        const auto faults_before = faults_.size();
        check_keys(place, node, map.settings);
        if (map.keys == SettingMap::Keys::ExactlyOne && faults_.size() == faults_before) check_is_one(place, node, map);
        for (const auto& setting : map.settings) {
            const auto [key, value] = find(node, setting.key);
            if (key != nullptr) {
                read_setting(place.below(setting.key, key->line), *value, setting);
            } else if (setting.need == Setting::Need::Required) {
                find_fault(place.below(setting.key, place.line), "missing");
            }
        }
        if (faults_.size() == faults_before && map.check) note(place, map.check());
    }

    /// Sorted by line.
    [[nodiscard]] std::vector<Fault> faults() && {
        std::ranges::stable_sort(faults_, {}, &Fault::line);
        return std::move(faults_);
    }

  private:
    void check_keys(const Place& place, const YamlNode& node, const std::vector<Setting>& settings) {
        for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
            const auto& key = node.children[i];
            if (key.kind != Kind::Text) {
                find_fault(Place{key.line, place.path}, fmt::format("a key is a text, not {}", to_string(key.kind)));
            } else if (std::ranges::find(settings, key.text, &Setting::key) == settings.end()) {
                const bool may_be_quoted = quoting_ == Quoting::Allowed;
                find_fault(may_be_quoted ? place.below(key.text, key.line) : Place{key.line, place.path},
                           fmt::format("unknown key (known: {}){}", known_keys(settings),
                                       did_you_mean(key.text, settings, &Setting::key)));
            } else if (find(node, key.text).key != &key) {
                find_fault(place.below(key.text, key.line), "given twice");
            }
        }
    }

    void check_is_one(const Place& place, const YamlNode& node, const SettingMap& map) {
        if (node.children.size() == 2) return;
        std::vector<std::string_view> given;
        for (std::size_t i = 0; i < node.children.size(); i += 2)
            given.emplace_back(node.children[i].text);
        find_fault(place, fmt::format("exactly one of {} belongs here, not {}", known_keys(map.settings),
                                      given.empty() ? "nothing" : fmt::format("{}", fmt::join(given, ", "))));
    }

    void read_setting(const Place& place, const YamlNode& value, const Setting& setting) {
        switch (setting.kind) {
            case Setting::Kind::Value:
                return read_value(place.of(value), value, setting);
            case Setting::Kind::Map:
                return read_map(place.of(value), value, setting.open());
            case Setting::Kind::List:
                setting.begin();
                return read_items(place, value, setting,
                                  [&](const Place& item, const YamlNode& node) { read_value(item, node, setting); });
            case Setting::Kind::ListOfMaps:
                if (setting.begin) setting.begin();
                return read_items(place, value, setting, [&](const Place& item, const YamlNode& node) {
                    read_map(item, node, setting.open());
                });
        }
    }

    template <typename ReadItem>
    void read_items(const Place& place, const YamlNode& list, const Setting& setting, ReadItem read_item) {
        if (list.kind != Kind::List) return find_wrong_kind(place.of(list), "a list", list);
        if (list.children.empty() && setting.items == Setting::Items::AtLeastOne)
            return find_fault(place.of(list), "the list is empty");
        for (const auto& item : list.children)
            read_item(place.of(item), item);
    }

    void read_value(const Place& place, const YamlNode& node, const Setting& setting) {
        if (node.kind != Kind::Text) return find_wrong_kind(place, "one value", node);
        note(place, setting.parse(node.text));
    }

    void find_wrong_kind(const Place& place, std::string_view wanted, const YamlNode& node) {
        find_fault(place, fmt::format("{} belongs here, not {}", wanted, to_string(node.kind)));
    }

    void note(const Place& place, const Result<void>& result) {
        if (!result) find_fault(place, result.error().message);
    }

    void find_fault(const Place& place, std::string_view rule) {
        faults_.push_back({place.line, fmt::format("{}{}", place.path, rule)});
    }

    const Quoting quoting_;
    std::vector<Fault> faults_;
};

}  // namespace

void FaultList::read(const std::string& text, std::string_view name, const SettingMap& settings, Quoting quoting) {
    const auto root = parse_yaml_tree(text, name);
    if (!root) return add(root.error().message);
    Reader reader{quoting};
    static const YamlNode empty{Kind::Map, 1, {}, {}};
    const auto& map = root->kind == Kind::Null ? empty : *root;
    reader.read_map({map.line, ""}, map, settings);
    for (const auto& fault : std::move(reader).faults())
        add(fmt::format("{}:{}: {}", name, fault.line, fault.text));
}

void FaultList::add(std::string message) {
    faults_.push_back(to_one_line(std::move(message)));
}

Result<void> FaultList::verdict() const {
    if (faults_.empty()) return {};
    if (faults_.size() <= kMostErrors) return invalid("{}", fmt::join(faults_, "\n"));
    return invalid("{}\n... and {} more", fmt::join(faults_.begin(), faults_.begin() + kMostErrors, "\n"),
                   faults_.size() - kMostErrors);
}

void SettingMap::add(Setting setting) {
    settings.push_back(std::move(setting));
}

Setting detail::describe(std::string_view key, Setting::Kind kind, std::string_view purpose) {
    Setting setting;
    setting.key = key;
    setting.kind = kind;
    setting.purpose = purpose;
    return setting;
}

}  // namespace headgate::config
