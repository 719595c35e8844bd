// SPDX-License-Identifier: GPL-2.0-or-later
// Describes the keys of a YAML file as data, each bound to the variable for its value. One list of settings drives
// reading (settings_reader.h), documentation (settings_text.h) and printing of the values.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "headgate/result.h"

namespace headgate::config {

struct Configuration;
struct SettingMap;

/// How a value is written: in YAML plain, quoted or plain; in JSON as a string, a string, or as it is.
enum class Notation : std::uint8_t {
    Text,
    Digits,   ///< a text of digits, which YAML parsers must not take for a number
    Literal,  ///< a number, `true` or `false`
};

struct Setting {
    enum class Kind : std::uint8_t { Value, List, Map, ListOfMaps };
    enum class Need : std::uint8_t { Optional, Required };
    enum class Items : std::uint8_t { Any, AtLeastOne };  ///< of a list: whether it may be empty

    std::string_view key;
    Kind kind = Kind::Value;
    std::string_view purpose;  ///< a sentence for the documentation
    std::string rule;          ///< accepted values, in words; empty for maps
    Notation notation = Notation::Text;
    Need need = Need::Optional;
    Items items = Items::Any;
    std::vector<std::string> when_absent;  ///< the default as written in a file; empty: no default
    std::string_view example;              ///< if there is no default

    std::function<void()> begin;  ///< called before the first item of a list; may be null for maps
    std::function<Result<void>(std::string_view)> parse;  ///< parses a Value, or the next item of a List
    std::function<SettingMap()> open;                     ///< opens a Map, or the next item of a ListOfMaps

    /// The present Value, or a List's items, as texts; nothing where the key is absent.
    std::function<std::optional<std::vector<std::string>>()> print;
    std::function<std::vector<SettingMap>()> maps;  ///< the present Map, if any, or the items of a ListOfMaps

    /// Copies the value from another configuration. Only a setting that clients may see who are confined to some
    /// firewalls has it.
    std::function<void(const Configuration&)> copy_for_confined;
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
    Notation notation = Notation::Text;
};

namespace detail {

[[nodiscard]] Setting describe(std::string_view key, Setting::Kind kind, std::string_view purpose);

template <typename T>
Setting describe(std::string_view key, Setting::Kind kind, std::string_view purpose, const ValueType<T>& type) {
    auto setting = describe(key, kind, purpose);
    setting.rule = type.rule;
    setting.notation = type.notation;
    return setting;
}

using Texts = std::optional<std::vector<std::string>>;

template <typename T>
std::vector<std::string> print_each(const std::vector<T>& values, const ValueType<T>& type) {
    std::vector<std::string> texts;
    std::ranges::transform(values, std::back_inserter(texts), type.print);
    return texts;
}

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
    auto setting = detail::describe(key, Setting::Kind::Value, purpose, type);
    setting.when_absent = {type.print(slot)};
    setting.parse = detail::assigning(slot, type);
    setting.print = [&slot, print = type.print]() -> detail::Texts { return std::vector{print(slot)}; };
    return setting;
}

/// A mandatory value.
template <typename T>
[[nodiscard]] Setting required(std::string_view key, T& slot, const ValueType<T>& type, std::string_view example,
                               std::string_view purpose) {
    auto setting = with_default(key, slot, type, purpose);
    setting.when_absent.clear();
    setting.need = Setting::Need::Required;
    setting.example = example;
    return setting;
}

/// An optional value without a default: if absent, the slot remains empty.
template <typename Slot, typename T>
[[nodiscard]] Setting optional(std::string_view key, Slot& slot, const ValueType<T>& type, std::string_view example,
                               std::string_view purpose) {
    auto setting = detail::describe(key, Setting::Kind::Value, purpose, type);
    setting.example = example;
    setting.parse = detail::assigning(slot, type);
    setting.print = [&slot, print = type.print]() -> detail::Texts {
        if (slot == Slot{}) return std::nullopt;
        if constexpr (std::is_same_v<Slot, T>) {
            return std::vector{print(slot)};
        } else {
            return std::vector{print(*slot)};
        }
    };
    return setting;
}

/// A list of values; later files extend it.
template <typename T>
[[nodiscard]] Setting list(std::string_view key, std::vector<T>& slot, const ValueType<T>& type,
                           std::string_view example, std::string_view purpose) {
    auto setting = detail::describe(key, Setting::Kind::List, purpose, type);
    setting.example = example;
    setting.begin = [] {};
    setting.parse = [&slot, parse = type.parse](std::string_view text) {
        return parse(text).map([&](T value) { slot.push_back(std::move(value)); });
    };
    setting.print = [&slot, type] { return detail::Texts{detail::print_each(slot, type)}; };
    return setting;
}

/// A list of values with a default, which a later file replaces as a whole: not empty, without duplicates.
template <typename T>
[[nodiscard]] Setting set_with_default(std::string_view key, std::vector<T>& slot, const ValueType<T>& type,
                                       std::string_view purpose) {
    auto setting = detail::describe(key, Setting::Kind::List, purpose, type);
    setting.when_absent = detail::print_each(slot, type);
    setting.items = Setting::Items::AtLeastOne;
    setting.begin = [&slot] { slot.clear(); };
    setting.parse = detail::collecting(slot, type);
    setting.print = [&slot, type] { return detail::Texts{detail::print_each(slot, type)}; };
    return setting;
}

/// An optional list of values that later files extend: if present, not empty and without duplicates.
template <typename T>
[[nodiscard]] Setting optional_set(std::string_view key, std::optional<std::vector<T>>& slot, const ValueType<T>& type,
                                   std::string_view example, std::string_view purpose) {
    auto setting = detail::describe(key, Setting::Kind::List, purpose, type);
    setting.items = Setting::Items::AtLeastOne;
    setting.example = example;
    setting.begin = [&slot] {
        if (!slot) slot.emplace();
    };
    setting.parse = [&slot, type](std::string_view text) { return detail::collecting(*slot, type)(text); };
    setting.print = [&slot, type] { return slot ? detail::Texts{detail::print_each(*slot, type)} : std::nullopt; };
    return setting;
}

/// A map; `inside(slot)` returns its settings.
template <typename T, typename Inside>
[[nodiscard]] Setting map(std::string_view key, T& slot, Inside inside, std::string_view purpose) {
    auto setting = detail::describe(key, Setting::Kind::Map, purpose);
    setting.open = [&slot, inside] { return inside(slot); };
    setting.maps = [&slot, inside] { return std::vector{inside(slot)}; };
    return setting;
}

/// A map that may be absent.
template <typename T, typename Inside>
[[nodiscard]] Setting map(std::string_view key, std::optional<T>& slot, Inside inside, std::string_view purpose) {
    auto setting = detail::describe(key, Setting::Kind::Map, purpose);
    setting.open = [&slot, inside] { return inside(slot.emplace()); };
    setting.maps = [&slot, inside] { return slot ? std::vector{inside(*slot)} : std::vector<SettingMap>{}; };
    return setting;
}

/// A list of maps that later files extend; `inside(item)` returns the settings of an item.
template <typename T, typename Inside>
[[nodiscard]] Setting list_of_maps(std::string_view key, Setting::Need need, std::vector<T>& slot, Inside inside,
                                   std::string_view purpose) {
    auto setting = detail::describe(key, Setting::Kind::ListOfMaps, purpose);
    setting.need = need;
    if (need == Setting::Need::Required) setting.items = Setting::Items::AtLeastOne;
    setting.open = [&slot, inside] { return inside(slot.emplace_back()); };
    setting.maps = [&slot, inside] {
        std::vector<SettingMap> maps;
        std::ranges::transform(slot, std::back_inserter(maps), inside);
        return maps;
    };
    return setting;
}

}  // namespace headgate::config
