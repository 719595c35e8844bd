// SPDX-License-Identifier: GPL-2.0-or-later
// The members of a value as JSON, listed once for reading and writing and for all of the value's forms. A list is
//
//     template <typename Members, MaybeConst<Counters> Object>
//     void list_members(Members& members, Object& counters) {
//         members.required("packets", counters.packets);
//         members.optional("bytes", counters.bytes);
//     }
//
// in the value's namespace. A MemberWriter or a MemberReader walks it.
#pragma once

#include <chrono>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "headgate/flow.h"
#include "headgate/names.h"

#include "base/printable.h"
#include "flow/json_members.h"
#include "flow/json_reader.h"

namespace headgate {

enum class JsonForm : std::uint8_t {
    Public,  ///< answers and requests: an optional member is left out if it has its default
    Stored,  ///< the store's document: everything is written, and texts may hold any bytes (bytes_as_text)
};

/// A member's name in each form; empty in a form that does not have it.
struct MemberName {
    std::string_view in_public;
    std::string_view in_store;

    constexpr MemberName(const char* both) : in_public(both), in_store(both) {}
    constexpr MemberName(std::string_view public_name, std::string_view stored_name)
        : in_public(public_name), in_store(stored_name) {}

    [[nodiscard]] constexpr std::string_view in(JsonForm form) const {
        return form == JsonForm::Public ? in_public : in_store;
    }
};
inline constexpr std::string_view kNoMember;

/// The object of a list: T when it is read, const T when it is written.
template <typename Object, typename T>
concept MaybeConst = std::same_as<std::remove_const_t<Object>, T>;

/// Ignores `parse`, which a list passes if a MemberReader cannot choose the parser by the type.
class MemberWriter {
  public:
    static constexpr bool kReads = false;

    explicit MemberWriter(JsonMembers& members, JsonForm form = JsonForm::Public) : members_(members), form_(form) {}

    [[nodiscard]] JsonForm form() const { return form_; }

    /// Always written; an error if absent when read.
    template <typename T, typename... Parse>
    void required(MemberName name, const T& value, const Parse&... /*parse*/) {
        if (const auto text = name.in(form_); !text.empty()) write(text, value);
    }

    /// Always written; keeps its default if absent when read.
    template <typename T, typename... Parse>
    void defaulted(MemberName name, const T& value, const Parse&... /*parse*/) {
        required(name, value);
    }

    /// Written if it differs from its default, and always in the store.
    template <typename T, typename... Parse>
    void optional(MemberName name, const T& value, const Parse&... /*parse*/) {
        if (form_ == JsonForm::Stored || value != T{}) required(name, value);
    }

    /// An object with a list of its own. In a form without a name for it, its members are members of the outer object.
    template <typename T>
    void object(MemberName name, const T& value) {
        const auto text = name.in(form_);
        if (text.empty()) return list_members(*this, value);
        members_.object(text, [&](JsonMembers& inner) { write_inner(inner, value); });
    }

    /// Left out if absent.
    template <typename T>
    void optional_object(MemberName name, const std::optional<T>& value) {
        if (value) object(name, *value);
    }

    /// A list of such objects: always written, may be absent when read.
    template <typename T>
    void objects(MemberName name, const std::vector<T>& values) {
        members_.objects(name.in(form_), values, [&](JsonMembers& inner, const T& each) { write_inner(inner, each); });
    }

  private:
    template <typename T>
    void write_inner(JsonMembers& inner, const T& value) {
        MemberWriter writer{inner, form_};
        list_members(writer, value);
    }

    template <typename T>
    [[nodiscard]] std::string text_of(const T& value) const {
        if constexpr (std::convertible_to<const T&, std::string_view>) {
            return form_ == JsonForm::Stored ? bytes_as_text(value) : std::string{value};
        } else if constexpr (std::same_as<T, Timestamp>) {
            return to_rfc3339(value);
        } else {
            return std::string{to_string(value)};
        }
    }

    template <typename T>
    void write(std::string_view name, const T& value) {
        members_.text(name, text_of(value));
    }
    template <std::integral T>
    void write(std::string_view name, const T& value) {
        members_.number(name, value);
    }
    template <typename Rep, typename Period>
    void write(std::string_view name, const std::chrono::duration<Rep, Period>& value) {
        members_.number(name, value.count());
    }
    template <typename T>
    void write(std::string_view name, const std::optional<T>& value) {
        if (value) write(name, *value);
    }
    template <typename T>
    void write(std::string_view name, const std::vector<T>& values) {
        std::vector<std::string> texts;
        texts.reserve(values.size());
        for (const auto& each : values)
            texts.push_back(text_of(each));
        members_.texts(name, texts);
    }

    JsonMembers& members_;
    JsonForm form_;
};

/// Each method reads the output of MemberWriter's method of the same name. The JsonReader keeps the first error.
class MemberReader {
  public:
    static constexpr bool kReads = true;

    explicit MemberReader(JsonReader& reader, JsonForm form = JsonForm::Public) : reader_(reader), form_(form) {}

    [[nodiscard]] JsonForm form() const { return form_; }

    template <typename T, typename... Parse>
    void required(MemberName name, T& slot, const Parse&... parse) {
        if (const auto text = name.in(form_); !text.empty()) read(text, slot, parse...);
    }

    template <typename T, typename... Parse>
    void defaulted(MemberName name, T& slot, const Parse&... parse) {
        if (reader_.has(name.in(form_))) required(name, slot, parse...);
    }

    template <typename T, typename... Parse>
    void optional(MemberName name, T& slot, const Parse&... parse) {
        defaulted(name, slot, parse...);
    }

    template <typename T>
    void object(MemberName name, T& slot) {
        const auto text = name.in(form_);
        if (text.empty()) return list_members(*this, slot);
        reader_.object(text, [&](JsonReader& inner) { read_inner(inner, slot); });
    }

    template <typename T>
    void optional_object(MemberName name, std::optional<T>& slot) {
        if (reader_.has(name.in(form_))) object(name, slot.emplace());
    }

    template <typename T>
    void objects(MemberName name, std::vector<T>& slot) {
        if (!reader_.has(name.in(form_))) return;
        reader_.objects(name.in(form_), slot, [&](JsonReader& inner, T& each) { read_inner(inner, each); });
    }

  private:
    template <typename T>
    void read_inner(JsonReader& inner, T& slot) {
        MemberReader reader{inner, form_};
        list_members(reader, slot);
    }

    template <typename T, typename Parse>
    void read(std::string_view name, T& slot, const Parse& parse) {
        reader_.parsed(name, slot, parse);
    }
    template <typename T, typename Parse>
    void read(std::string_view name, std::vector<T>& slot, const Parse& parse) {
        slot.clear();
        reader_.parsed_list(name, slot, parse);
    }
    template <Named Enum>
    void read(std::string_view name, Enum& slot) {
        reader_.named(name, slot);
    }
    template <std::integral T>
    void read(std::string_view name, T& slot) {
        reader_.number(name, slot);
    }
    template <typename Rep, typename Period>
    void read(std::string_view name, std::chrono::duration<Rep, Period>& slot) {
        reader_.duration(name, slot);
    }
    template <typename T>
    void read(std::string_view name, std::optional<T>& slot) {
        read(name, slot.emplace());
    }
    void read(std::string_view name, bool& slot) { reader_.flag(name, slot); }
    void read(std::string_view name, Timestamp& slot) { reader_.parsed(name, slot, parse_rfc3339); }
    void read(std::string_view name, std::string& slot) {
        read(name, slot, [&](std::string_view text) { return as_written(text); });
    }
    void read(std::string_view name, std::vector<std::string>& slot) {
        read(name, slot, [&](std::string_view text) { return as_written(text); });
    }

    [[nodiscard]] Result<std::string> as_written(std::string_view text) const {
        return form_ == JsonForm::Stored ? text_as_bytes(text) : std::string{text};
    }

    JsonReader& reader_;
    JsonForm form_;
};

template <typename T>
void write_members(JsonMembers& members, const T& value, JsonForm form = JsonForm::Public) {
    MemberWriter writer{members, form};
    list_members(writer, value);
}

template <typename T>
void append_json_object(fmt::memory_buffer& out, const T& value, JsonForm form = JsonForm::Public) {
    out.push_back('{');
    JsonMembers members{out};
    write_members(members, value, form);
    out.push_back('}');
}

/// `slot` has the defaults of absent members.
template <typename T>
void read_listed(JsonReader& reader, T& slot, JsonForm form = JsonForm::Public) {
    MemberReader members{reader, form};
    list_members(members, slot);
}

/// Likewise; ignores members that are not in the list.
template <typename T>
[[nodiscard]] Result<void> read_members(const JsonObject& object, T& slot, JsonForm form = JsonForm::Public) {
    JsonReader reader{object};
    read_listed(reader, slot, form);
    return reader.finish();
}

template <typename T>
[[nodiscard]] Result<T> read_json_object(std::string_view text) {
    return read_json<T>(text, [](JsonReader& reader, T& value) { read_listed(reader, value); });
}

}  // namespace headgate
