// Parses the structures of AWS requests from JSON. Errors name the member by its full path,
// `FlowFilters[3].SourceAddress.AddressDefinition: ...`. Null counts as absent. An unknown member is an error: AWS JSON
// 1.0 lets a service ignore it, but the client would not learn that its wish was ignored.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "headgate/result.h"

#include "flow/json_reader.h"

namespace headgate::http::aws {

/// Reads the members of one structure in turn. Keeps the first error, and reads nothing after it.
class ShapeReader {
  public:
    explicit ShapeReader(JsonObject object, std::string path = {})
        : object_(std::move(object)), path_(std::move(path)) {}

    /// A string, converted by `parse`.
    template <typename T, typename Parse>
    void required(const std::string& name, T& slot, const Parse& parse) {
        take(name, slot, [&] { return read_parsed(object_, name, parse); });
    }
    /// `fill(ShapeReader&)` reads the inner members.
    template <typename Fill>
    void required_structure(const std::string& name, const Fill& fill) {
        JsonObject inner;
        take(name, inner, [&] { return read_object(object_, name); });
        read_inner(inner, name, fill);
    }
    /// `fill(ShapeReader&, Value&)` reads one element.
    template <typename Value, typename Fill>
    void required_structures(const std::string& name, std::vector<Value>& slot, const Fill& fill) {
        know(name);
        if (!result_) return;
        const auto list = object_->getArray(name);
        if (list.isNull()) return fail(name, object_->isNull(name) ? invalid("missing") : invalid("not a list"));
        for (unsigned i = 0; i < list->size() && result_; ++i) {
            const auto place = fmt::format("{}[{}]", name, i);
            const auto element = list->getObject(i);
            if (element.isNull()) return fail(place, invalid("not an object"));
            read_inner(element, place, [&](ShapeReader& reader) { fill(reader, slot.emplace_back()); });
        }
    }
    /// A list of strings.
    template <typename Value, typename Parse>
    void required_list(const std::string& name, std::vector<Value>& slot, const Parse& parse) {
        std::vector<std::string> texts;
        take(name, texts, [&] { return read_texts(object_, name); });
        for (std::size_t i = 0; i < texts.size(); ++i) {
            auto value = parse(texts[i]);
            if (!value) return fail(fmt::format("{}[{}]", name, i), tl::unexpected(std::move(value.error())));
            slot.push_back(std::move(*value));
        }
    }

    // Optional members: when absent, the slot keeps its value and `fill` is not called.
    template <typename T, typename Parse>
    void optional(const std::string& name, T& slot, const Parse& parse) {
        if (has(name)) required(name, slot, parse);
    }
    template <typename Fill>
    void optional_structure(const std::string& name, const Fill& fill) {
        if (has(name)) required_structure(name, fill);
    }
    template <typename Value, typename Parse>
    void optional_list(const std::string& name, std::vector<Value>& slot, const Parse& parse) {
        if (has(name)) required_list(name, slot, parse);
    }
    void optional_flag(const std::string& name, bool& slot) {
        if (has(name)) take(name, slot, [&] { return read_flag(object_, name); });
    }
    void optional_number(const std::string& name, std::int32_t& slot, std::int32_t lowest, std::int32_t highest);

    [[nodiscard]] bool has(const std::string& name) {
        know(name);
        return !object_->isNull(name);
    }

    /// Reports an error that the caller found.
    void fail(std::string_view name, Result<void> outcome);

    /// The outcome, once all members have been read. An unknown member takes precedence over other errors: a misspelt
    /// member is often reported as missing under its right name.
    [[nodiscard]] Result<void> finish() const;

  private:
    template <typename T, typename Read>
    void take(const std::string& name, T& slot, const Read& read) {
        know(name);
        if (!result_) return;
        if (auto value = read()) {
            slot = std::move(*value);
        } else {
            fail(tl::unexpected(std::move(value.error())));
        }
    }
    template <typename Fill>
    void read_inner(const JsonObject& inner, std::string_view place, const Fill& fill) {
        if (!result_) return;
        ShapeReader reader{inner, fmt::format("{}{}.", path_, place)};
        fill(reader);
        result_ = reader.finish();
    }
    void know(const std::string& name);
    void fail(tl::unexpected<Error> error);

    JsonObject object_;
    std::string path_;                ///< of this structure, with a trailing dot; empty at the top
    std::vector<std::string> known_;  ///< the members that were read
    Result<void> result_;
};

}  // namespace headgate::http::aws
