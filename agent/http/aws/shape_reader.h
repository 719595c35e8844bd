// Takes the structures of AWS's requests out of JSON. An error names the member by its whole way from the top:
// `FlowFilters[3].SourceAddress.AddressDefinition: ...`. A member that is null is absent. A member that no handler
// reads is an error: AWS JSON 1.0 lets a service ignore it, but what it asks for would not be done, and nobody told.
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

/// Reads the members of one structure one after the other; the first error is kept, and what follows it is not read.
class ShapeReader {
  public:
    explicit ShapeReader(JsonObject object, std::string path = {})
        : object_(std::move(object)), path_(std::move(path)) {}

    /// A text that `parse` makes something of.
    template <typename T, typename Parse>
    void required(const std::string& name, T& slot, const Parse& parse) {
        take(name, slot, [&] { return read_parsed(object_, name, parse); });
    }
    /// `fill(ShapeReader&)` reads what is in it.
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
    /// A list of texts.
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

    // What may be absent: then the slot stays as it is, and nothing is filled.
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

    /// A rule that the caller sees broken.
    void fail(std::string_view name, Result<void> outcome);

    /// How it went, when everything has been asked for. A member that is not known comes before any other error, as a
    /// misspelt one is often missing under its right name.
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
    std::string path_;                ///< of this structure, with a dot behind; empty at the top
    std::vector<std::string> known_;  ///< the members that were asked for
    Result<void> result_;
};

}  // namespace headgate::http::aws
