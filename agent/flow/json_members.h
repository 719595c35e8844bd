// SPDX-License-Identifier: GPL-2.0-or-later
// Writes a JSON object, member by member.
#pragma once

#include <fmt/format.h>

#include <iterator>
#include <string>
#include <string_view>

#include "flow/flow_json.h"

namespace headgate {

/// Writes the members only; the caller writes the braces.
class JsonMembers {
  public:
    enum class Place : std::uint8_t { First, Later };

    explicit JsonMembers(fmt::memory_buffer& out, Place place = Place::First) : out_(out), place_(place) {}

    void text(std::string_view name, std::string_view value) {
        key(name);
        append_json_string(out_, value);
    }
    template <typename Number>
    void number(std::string_view name, Number value) {
        key(name);
        fmt::format_to(std::back_inserter(out_), "{}", value);
    }
    template <typename Texts>
    void texts(std::string_view name, const Texts& values) {
        key(name);
        char separator = '[';
        for (const auto& value : values) {
            out_.push_back(std::exchange(separator, ','));
            append_json_string(out_, value);
        }
        if (separator == '[') out_.push_back('[');
        out_.push_back(']');
    }

    /// A member that is an object: `fill(members)` writes its members.
    template <typename Fill>
    void object(std::string_view name, const Fill& fill) {
        key(name);
        append_object(fill);
    }
    /// A member that is a list of objects: `fill(members, value)` writes the members of each.
    template <typename Values, typename Fill>
    void objects(std::string_view name, const Values& values, const Fill& fill) {
        key(name);
        out_.push_back('[');
        bool first = true;
        for (const auto& value : values) {
            if (!std::exchange(first, false)) out_.push_back(',');
            append_object([&](JsonMembers& inner) { fill(inner, value); });
        }
        out_.push_back(']');
    }

    /// Writes the name only; the caller writes the value.
    void key(std::string_view name) {
        if (std::exchange(place_, Place::Later) == Place::Later) out_.push_back(',');
        append_json_string(out_, name);
        out_.push_back(':');
    }

  private:
    template <typename Fill>
    void append_object(const Fill& fill) {
        out_.push_back('{');
        JsonMembers inner{out_};
        fill(inner);
        out_.push_back('}');
    }

    fmt::memory_buffer& out_;
    Place place_;
};

/// One JSON object; `fill(JsonMembers&)` writes its members.
template <typename Fill>
[[nodiscard]] std::string json_of(const Fill& fill) {
    fmt::memory_buffer out;
    out.push_back('{');
    JsonMembers members{out};
    fill(members);
    out.push_back('}');
    return fmt::to_string(out);
}

/// The elements of a list, each on a line of its own; `append(element)` writes one.
template <typename Elements, typename Append>
void append_json_lines(fmt::memory_buffer& out, const Elements& elements, const Append& append) {
    out.push_back('[');
    std::string_view separator = "\n";
    for (const auto& element : elements) {
        out.append(std::exchange(separator, ",\n"));
        append(element);
    }
    out.push_back(']');
}

/// What `append(fmt::memory_buffer&, values...)` writes.
template <typename Append, typename... Values>
[[nodiscard]] std::string json_by(const Append& append, const Values&... values) {
    fmt::memory_buffer out;
    append(out, values...);
    return fmt::to_string(out);
}

}  // namespace headgate
