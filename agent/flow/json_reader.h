// Takes values out of JSON that somebody else wrote. Every error names the member and the rule.
#pragma once

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "headgate/names.h"
#include "headgate/result.h"

namespace headgate {

using JsonObject = Poco::JSON::Object::Ptr;

/// One object and nothing behind it. Nesting is bounded: what is deeper than anything of ours is an error.
[[nodiscard]] Result<JsonObject> parse_json_object(const std::string& text);

template <typename T>
[[nodiscard]] Result<T> read_number(const JsonObject& object, const std::string& name) {
    const auto value = object->get(name);
    if (value.isEmpty()) return invalid("{}: missing", name);
    try {
        if (value.isInteger() && !value.isBoolean()) return value.convert<T>();
    } catch (const Poco::Exception&) {
        return invalid("{}: out of range", name);
    }
    return invalid("{}: not a whole number", name);
}

[[nodiscard]] Result<std::string> read_text(const JsonObject& object, const std::string& name);
[[nodiscard]] Result<bool> read_flag(const JsonObject& object, const std::string& name);
[[nodiscard]] Result<JsonObject> read_object(const JsonObject& object, const std::string& name);
[[nodiscard]] Result<std::vector<std::string>> read_texts(const JsonObject& object, const std::string& name);

/// The elements of a list of objects, each handed to `take`; its error is told with the element's place.
template <typename Take>
[[nodiscard]] Result<void> for_each_object(const JsonObject& object, const std::string& name, const Take& take) {
    const auto value = object->get(name);
    if (value.isEmpty()) return invalid("{}: missing", name);
    const auto list = object->getArray(name);
    if (list.isNull()) return invalid("{}: not a list", name);
    for (unsigned i = 0; i < list->size(); ++i) {
        const auto element = list->getObject(i);
        if (element.isNull()) return invalid("{}[{}]: not an object", name, i);
        if (Result<void> taken = take(element); !taken) {
            return tl::unexpected(std::move(taken.error()).within(fmt::format("{}[{}]", name, i)));
        }
    }
    return {};
}

/// A text member that `parse` makes something of.
template <typename Parse>
[[nodiscard]] auto read_parsed(const JsonObject& object, const std::string& name, const Parse& parse)
    -> decltype(parse(std::string_view{})) {
    const auto text = read_text(object, name);
    if (!text) return tl::unexpected(text.error());
    auto value = parse(*text);
    if (!value) return tl::unexpected(std::move(value.error()).within(name));
    return value;
}

/// Reads the members of one object one after the other; the first error is kept, and what follows it is not read.
class JsonReader {
  public:
    /// What becomes of members that nobody asks for, here and in the objects within.
    enum class Others : std::uint8_t { Ignored, Refused };

    explicit JsonReader(JsonObject object, Others others = Others::Ignored)
        : object_(std::move(object)), others_(others) {}

    [[nodiscard]] bool has(const std::string& name) {
        known_.push_back(name);
        return object_->has(name);
    }

    // What must be there.
    template <typename T>
    void number(const std::string& name, T& slot) {
        take(name, slot, [&] { return read_number<T>(object_, name); });
    }
    void text(const std::string& name, std::string& slot) {
        take(name, slot, [&] { return read_text(object_, name); });
    }
    void texts(const std::string& name, std::vector<std::string>& slot) {
        take(name, slot, [&] { return read_texts(object_, name); });
    }
    void flag(const std::string& name, bool& slot) {
        take(name, slot, [&] { return read_flag(object_, name); });
    }
    template <typename T, typename Parse>
    void parsed(const std::string& name, T& slot, const Parse& parse) {
        take(name, slot, [&] { return read_parsed(object_, name, parse); });
    }
    template <Named Enum>
    void named(const std::string& name, Enum& slot) {
        parsed(name, slot, parse_name<Enum>);
    }
    template <typename Rep, typename Period>
    void duration(const std::string& name, std::chrono::duration<Rep, Period>& slot) {
        std::int64_t count = 0;
        number(name, count);
        slot = std::chrono::duration<Rep, Period>{count};
    }
    /// `fill(JsonReader&)` reads what is in it.
    template <typename Fill>
    void object(const std::string& name, const Fill& fill) {
        known_.push_back(name);
        if (!result_) return;
        auto inner = read_object(object_, name);
        if (inner) {
            JsonReader reader{std::move(*inner), others_};
            fill(reader);
            fail(name, reader.finish());
        } else {
            result_ = tl::unexpected(std::move(inner.error()));
        }
    }
    /// `fill(JsonReader&, Value&)` reads one element.
    template <typename Value, typename Fill>
    void objects(const std::string& name, std::vector<Value>& slot, const Fill& fill) {
        known_.push_back(name);
        if (!result_) return;
        result_ = for_each_object(object_, name, [&](const JsonObject& element) {
            JsonReader reader{element, others_};
            fill(reader, slot.emplace_back());
            return reader.finish();
        });
    }

    // What may be absent: then the slot stays as it is.
    template <typename T>
    void optional_number(const std::string& name, T& slot) {
        if (has(name)) number(name, slot);
    }
    template <typename T>
    void optional_number(const std::string& name, std::optional<T>& slot) {
        if (has(name)) number(name, slot.emplace());
    }
    void optional_text(const std::string& name, std::string& slot) {
        if (has(name)) text(name, slot);
    }
    void optional_text(const std::string& name, std::optional<std::string>& slot) {
        if (has(name)) text(name, slot.emplace());
    }
    void optional_texts(const std::string& name, std::vector<std::string>& slot) {
        if (has(name)) texts(name, slot);
    }
    void optional_flag(const std::string& name, bool& slot) {
        if (has(name)) flag(name, slot);
    }
    template <typename T, typename Parse>
    void optional_parsed(const std::string& name, T& slot, const Parse& parse) {
        if (has(name)) parsed(name, slot, parse);
    }

    /// A rule that the caller sees broken.
    void fail(std::string_view name, Result<void> outcome) {
        if (result_ && !outcome) result_ = tl::unexpected(std::move(outcome.error()).within(name));
    }

    /// How it went, when everything has been asked for.
    [[nodiscard]] Result<void> finish() const;

  private:
    template <typename T, typename Read>
    void take(const std::string& name, T& slot, const Read& read) {
        known_.push_back(name);
        if (!result_) return;
        if (auto value = read()) {
            slot = std::move(*value);
        } else {
            result_ = tl::unexpected(std::move(value.error()));
        }
    }

    JsonObject object_;
    Others others_;
    std::vector<std::string> known_;
    Result<void> result_;
};

}  // namespace headgate
