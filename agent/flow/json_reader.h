// SPDX-License-Identifier: GPL-2.0-or-later
// Parses JSON from other programs and users. Every error names the member by its path, and the rule:
// `filters[3].source: 10.0.0.0/33: /33 is longer than /32`.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "headgate/names.h"
#include "headgate/result.h"

namespace headgate {

/// An object in a JSON text. Keeps the values of the whole text; cheap to copy. An error begins with the member's name.
class JsonObject {
  public:
    [[nodiscard]] bool has(std::string_view name) const;
    [[nodiscard]] bool is_null(std::string_view name) const;  ///< or absent
    [[nodiscard]] std::vector<std::string_view> names() const;

    [[nodiscard]] Result<std::string> text(std::string_view name) const;
    [[nodiscard]] Result<bool> flag(std::string_view name) const;
    [[nodiscard]] Result<JsonObject> object(std::string_view name) const;
    [[nodiscard]] Result<std::vector<std::string>> texts(std::string_view name) const;
    [[nodiscard]] Result<std::vector<JsonObject>> objects(std::string_view name) const;
    template <typename T>
    [[nodiscard]] Result<T> number(std::string_view name) const {
        ASSIGN_OR_RETURN(const auto whole, whole_number(name));
        const auto fits = [](auto number) { return std::in_range<T>(number); };
        if (!std::visit(fits, whole)) return invalid("{}: out of range", name);
        return std::visit([](auto number) { return static_cast<T>(number); }, whole);
    }

  private:
    struct Members;
    explicit JsonObject(std::shared_ptr<const Members> members) : members_(std::move(members)) {}
    friend Result<JsonObject> parse_json_object(std::string_view text);

    [[nodiscard]] Result<std::variant<std::int64_t, std::uint64_t>> whole_number(std::string_view name) const;

    std::shared_ptr<const Members> members_;
};

/// Parses exactly one object, in UTF-8. Errors include a member given twice, nesting deeper than anything that headgate
/// writes, and a whole number of more than 64 bits.
[[nodiscard]] Result<JsonObject> parse_json_object(std::string_view text);

/// Reads the members of one object one by one. Keeps the first error and reads nothing after it.
class JsonReader {
  public:
    /// Treatment of members that the caller does not read, in this object and in nested ones.
    enum class Others : std::uint8_t {
        Ignored,
        Refused,
        RefusedUnlessNull,  ///< null means absent everywhere, as in AWS JSON 1.0
    };

    explicit JsonReader(JsonObject object, Others others = Others::Ignored, std::string path = {})
        : object_(std::move(object)), others_(others), path_(std::move(path)) {}

    [[nodiscard]] bool has(std::string_view name) {
        know(name);
        return others_ == Others::RefusedUnlessNull ? !object_.is_null(name) : object_.has(name);
    }

    // Required members: absence is an error.
    template <typename T>
    void number(std::string_view name, T& slot) {
        read(name, slot, [&] { return object_.number<T>(name); });
    }
    void text(std::string_view name, std::string& slot) {
        read(name, slot, [&] { return object_.text(name); });
    }
    void texts(std::string_view name, std::vector<std::string>& slot) {
        read(name, slot, [&] { return object_.texts(name); });
    }
    /// A text, converted by `parse`.
    template <typename T, typename Parse>
    void parsed(std::string_view name, T& slot, const Parse& parse) {
        std::string text;
        this->text(name, text);
        store(name, slot, text, parse);
    }
    /// A list of such texts, appended to the slot.
    template <typename T, typename Parse>
    void parsed_list(std::string_view name, std::vector<T>& slot, const Parse& parse) {
        std::vector<std::string> texts;
        this->texts(name, texts);
        for (std::size_t i = 0; i < texts.size() && result_; ++i) {
            T value{};
            store(fmt::format("{}[{}]", name, i), value, texts[i], parse);
            if (result_) slot.push_back(std::move(value));
        }
    }
    template <Named Enum>
    void named(std::string_view name, Enum& slot) {
        parsed(name, slot, parse_name<Enum>);
    }
    template <typename Rep, typename Period>
    void duration(std::string_view name, std::chrono::duration<Rep, Period>& slot) {
        std::int64_t count = 0;
        number(name, count);
        slot = std::chrono::duration<Rep, Period>{count};
    }
    /// `fill(JsonReader&)` reads the members of the object.
    template <typename Fill>
    void object(std::string_view name, const Fill& fill) {
        std::optional<JsonObject> inner;
        read(name, inner, [&] { return object_.object(name); });
        if (inner) read_inner(*inner, name, fill);
    }
    /// `fill(JsonReader&)` reads one element of a list of objects.
    template <typename Fill>
    void each_object(std::string_view name, const Fill& fill) {
        std::vector<JsonObject> elements;
        read(name, elements, [&] { return object_.objects(name); });
        for (std::size_t i = 0; i < elements.size() && result_; ++i)
            read_inner(elements[i], fmt::format("{}[{}]", name, i), fill);
    }
    /// `fill(JsonReader&, Value&)` reads one element.
    template <typename Value, typename Fill>
    void objects(std::string_view name, std::vector<Value>& slot, const Fill& fill) {
        each_object(name, [&](JsonReader& element) { fill(element, slot.emplace_back()); });
    }

    void flag(std::string_view name, bool& slot) {
        read(name, slot, [&] { return object_.flag(name); });
    }

    // Optional members: absence leaves the slot unchanged.
    template <typename T>
    void optional_number(std::string_view name, T& slot) {
        if (has(name)) number(name, slot);
    }
    template <typename T>
    void optional_number(std::string_view name, std::optional<T>& slot) {
        if (has(name)) number(name, slot.emplace());
    }
    void optional_text(std::string_view name, std::string& slot) {
        if (has(name)) text(name, slot);
    }
    void optional_text(std::string_view name, std::optional<std::string>& slot) {
        if (has(name)) text(name, slot.emplace());
    }
    void optional_texts(std::string_view name, std::vector<std::string>& slot) {
        if (has(name)) texts(name, slot);
    }
    void optional_flag(std::string_view name, bool& slot) {
        if (has(name)) flag(name, slot);
    }
    template <typename T, typename Parse>
    void optional_parsed(std::string_view name, T& slot, const Parse& parse) {
        if (has(name)) parsed(name, slot, parse);
    }
    template <typename T, typename Parse>
    void optional_parsed_list(std::string_view name, std::vector<T>& slot, const Parse& parse) {
        if (has(name)) parsed_list(name, slot, parse);
    }
    template <typename Fill>
    void optional_object(std::string_view name, const Fill& fill) {
        if (has(name)) object(name, fill);
    }

    /// Records the error, if any, of a check that the caller performed.
    void fail(std::string_view name, Result<void> outcome);

    /// The result, after all members have been read. A refused member takes precedence over any other error, because a
    /// misspelt member is often missing under its right name.
    [[nodiscard]] Result<void> finish() const;

  private:
    void know(std::string_view name);
    void fail(Error error);

    template <typename Slot, typename Read>
    void read(std::string_view name, Slot& slot, const Read& read) {
        know(name);
        if (!result_) return;
        if (auto value = read()) {
            slot = std::move(*value);
        } else {
            fail(std::move(value.error()));
        }
    }
    template <typename Slot, typename Parse>
    void store(std::string_view place, Slot& slot, std::string_view text, const Parse& parse) {
        if (!result_) return;
        if (auto value = parse(text)) {
            slot = std::move(*value);
        } else {
            fail(std::move(value.error()).within(place));
        }
    }
    template <typename Fill>
    void read_inner(const JsonObject& inner, std::string_view place, const Fill& fill) {
        JsonReader reader{inner, others_, fmt::format("{}{}.", path_, place)};
        fill(reader);
        result_ = reader.finish();
    }

    JsonObject object_;
    Others others_;
    std::string path_;                ///< of this object, with a trailing dot; empty at the top level
    std::vector<std::string> known_;  ///< the members read or looked up so far; unused if others are ignored
    Result<void> result_;
};

/// Parses a text; `fill(JsonReader&, Value&)` reads the members.
template <typename Value, typename Fill>
[[nodiscard]] Result<Value> read_json(std::string_view text, const Fill& fill,
                                      JsonReader::Others others = JsonReader::Others::Ignored) {
    ASSIGN_OR_RETURN(auto object, parse_json_object(text));
    Value value{};
    JsonReader reader{std::move(object), others};
    fill(reader, value);
    return reader.finish().map([&] { return std::move(value); });
}

}  // namespace headgate
