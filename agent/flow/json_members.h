// Writes a JSON object, member by member.
#pragma once

#include <fmt/format.h>

#include <iterator>
#include <string_view>

#include "flow/flow_json.h"

namespace headgate {

/// What stands between the braces, which are the caller's.
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

    /// The caller writes the value.
    void key(std::string_view name) {
        if (std::exchange(place_, Place::Later) == Place::Later) out_.push_back(',');
        append_json_string(out_, name);
        out_.push_back(':');
    }

  private:
    fmt::memory_buffer& out_;
    Place place_;
};

}  // namespace headgate
