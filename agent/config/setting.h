// SPDX-License-Identifier: GPL-2.0-or-later
// Describes the keys of a YAML file as data, each bound to the variable for its value. One list of settings drives both
// reading (settings_reader.h) and documentation (settings_text.h).
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/result.h"

namespace headgate::config {

struct SettingMap;

struct Setting {
    enum class Kind : std::uint8_t { Value, List, Map, ListOfMaps };
    enum class Need : std::uint8_t { Optional, Required };
    enum class Items : std::uint8_t { Any, AtLeastOne };  ///< of a list: whether it may be empty
    enum class Later : std::uint8_t { Replaces, Adds };   ///< how a later file's value affects an earlier one's

    std::string_view key;
    Kind kind = Kind::Value;
    std::string_view purpose;  ///< a sentence for the documentation
    std::string rule;          ///< accepted values, in words; empty for maps
    Need need = Need::Optional;
    Items items = Items::Any;
    Later later = Later::Replaces;
    std::vector<std::string> when_absent;  ///< the default as written in a file; empty: no default
    std::string_view example;              ///< if there is no default

    std::function<void()> begin;  ///< called before the first item of a list; may be null for maps
    std::function<Result<void>(std::string_view)> take;  ///< parses a Value, or the next item of a List
    std::function<SettingMap()> open;                    ///< opens a Map, or the next item of a ListOfMaps
};

struct SettingMap {
    enum class Keys : std::uint8_t { Any, ExactlyOne };  ///< how many of its keys may be present together

    /// Adds settings one by one: one initializer for all takes clang with sanitizers more than ten minutes to compile.
    void add(Setting setting);

    std::vector<Setting> settings;
    Keys keys = Keys::Any;
    std::function<Result<void>()> check;  ///< a check of all values together, called if each is valid; may be null
};

/// How values of a type are parsed and printed.
template <typename T>
struct ValueType {
    std::string rule;  ///< accepted values in words: `a duration, 1m to 365d`
    std::function<Result<T>(std::string_view)> parse;
    std::function<std::string(const T&)> print;
};

namespace detail {

[[nodiscard]] Setting describe(std::string_view key, Setting::Kind kind, std::string_view purpose, std::string rule);

template <typename Slot, typename T>
std::function<Result<void>(std::string_view)> assigning(Slot& slot, const ValueType<T>& type) {
    return [&slot, parse = type.parse](std::string_view text) {
        return parse(text).map([&](T value) { slot = std::move(value); });
    };
}

template <typename T>
std::function<Result<void>(std::string_view)> collecting(std::vector<T>& set, const ValueType<T>& type) {
    return [&set, parse = type.parse](std::string_view text) -> Result<void> {
        ASSIGN_OR_RETURN(auto value, parse(text));
        if (std::ranges::find(set, value) != set.end()) return invalid("\"{}\" is in the list twice", text);
        set.push_back(std::move(value));
        return {};
    };
}

}  // namespace detail

/// An optional value with a default: the slot's current value.
template <typename T>
[[nodiscard]] Setting with_default(std::string_view key, T& slot, const ValueType<T>& type, std::string_view purpose) {
    auto setting = detail::describe(key, Setting::Kind::Value, purpose, type.rule);
    setting.when_absent = {type.print(slot)};
    setting.take = detail::assigning(slot, type);
    return setting;
}

/// A mandatory value.
template <typename T>
[[nodiscard]] Setting required(std::string_view key, T& slot, const ValueType<T>& type, std::string_view example,
                               std::string_view purpose) {
    auto setting = detail::describe(key, Setting::Kind::Value, purpose, type.rule);
    setting.need = Setting::Need::Required;
    setting.example = example;
    setting.take = detail::assigning(slot, type);
    return setting;
}

/// An optional value without a default: if absent, the slot is unchanged.
template <typename Slot, typename T>
[[nodiscard]] Setting optional(std::string_view key, Slot& slot, const ValueType<T>& type, std::string_view example,
                               std::string_view purpose) {
    auto setting = detail::describe(key, Setting::Kind::Value, purpose, type.rule);
    setting.example = example;
    setting.take = detail::assigning(slot, type);
    return setting;
}

/// A list of values that later files extend.
template <typename T>
[[nodiscard]] Setting list(std::string_view key, std::vector<T>& slot, const ValueType<T>& type,
                           std::string_view example, std::string_view purpose) {
    auto setting = detail::describe(key, Setting::Kind::List, purpose, type.rule);
    setting.later = Setting::Later::Adds;
    setting.example = example;
    setting.begin = [] {};
    setting.take = [&slot, parse = type.parse](std::string_view text) {
        return parse(text).map([&](T value) { slot.push_back(std::move(value)); });
    };
    return setting;
}

/// A list of values with a default, which a later file replaces as a whole: not empty, without duplicates.
template <typename T>
[[nodiscard]] Setting set_with_default(std::string_view key, std::vector<T>& slot, const ValueType<T>& type,
                                       std::string_view purpose) {
    auto setting = detail::describe(key, Setting::Kind::List, purpose, type.rule);
    for (const auto& value : slot)
        setting.when_absent.push_back(type.print(value));
    setting.items = Setting::Items::AtLeastOne;
    setting.begin = [&slot] { slot.clear(); };
    setting.take = detail::collecting(slot, type);
    return setting;
}

/// An optional list of values that later files extend: if present, not empty and without duplicates.
template <typename T>
[[nodiscard]] Setting optional_set(std::string_view key, std::optional<std::vector<T>>& slot, const ValueType<T>& type,
                                   std::string_view example, std::string_view purpose) {
    auto setting = detail::describe(key, Setting::Kind::List, purpose, type.rule);
    setting.items = Setting::Items::AtLeastOne;
    setting.later = Setting::Later::Adds;
    setting.example = example;
    setting.begin = [&slot] {
        if (!slot) slot.emplace();
    };
    setting.take = [&slot, type](std::string_view text) { return detail::collecting(*slot, type)(text); };
    return setting;
}

[[nodiscard]] Setting map(std::string_view key, std::function<SettingMap()> open, std::string_view purpose);

/// A list of maps that later files extend; `open` appends an item.
[[nodiscard]] Setting list_of_maps(std::string_view key, Setting::Need need, std::function<SettingMap()> open,
                                   std::string_view purpose);

}  // namespace headgate::config
