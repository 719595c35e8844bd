// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/json_reader.h"

#include <simdjson.h>

#include <new>

namespace headgate {
namespace {

using simdjson::dom::element;

/// A list of operations with their filters and protocols has six levels.
constexpr std::size_t kDeepest = 16;
constexpr std::size_t kLongestName = 128;  ///< of a member, in bytes, as quoted in an error

/// Newer versions of simdjson distinguish a number that is too large (BIGINT_ERROR) from a malformed one.
template <typename Code>
constexpr bool is_number_error(Code code) {
    if constexpr (requires { Code::BIGINT_ERROR; }) {
        if (code == Code::BIGINT_ERROR) return true;
    }
    return code == Code::NUMBER_ERROR;
}

/// The meaning of a member that is given twice is undefined (RFC 8259, section 4): only half of a request would be
/// carried out.
Result<void> check_names(std::vector<std::string_view> names) {
    std::ranges::sort(names);
    const auto repeated = std::ranges::adjacent_find(names);
    if (repeated == names.end()) return {};
    return invalid("{}: given twice", repeated->substr(0, kLongestName));
}

/// Checks the rules that the parser does not enforce.
Result<void> check_value(element value, std::size_t level) {
    if (!value.is_array() && !value.is_object()) return {};
    if (level > kDeepest) return invalid("not valid JSON: nested deeper than {} levels", kDeepest);
    if (value.is_array()) {
        for (const element each : value.get_array())
            RETURN_IF_ERROR(check_value(each, level + 1));
        return {};
    }
    std::vector<std::string_view> names;
    for (const auto [name, each] : value.get_object()) {
        names.push_back(name);
        RETURN_IF_ERROR(check_value(each, level + 1));
    }
    return check_names(std::move(names));
}

/// A member's value; `rule` is the error message if it has another type.
template <typename T>
Result<T> get(const simdjson::dom::object& object, std::string_view name, std::string_view rule) {
    element value;
    T found{};
    if (object.at_key(name).get(value) != simdjson::SUCCESS || value.is_null()) return invalid("{}: missing", name);
    if (value.get(found) != simdjson::SUCCESS) return invalid("{}: {}", name, rule);
    return found;
}

/// The elements of a list.
template <typename T>
Result<std::vector<T>> get_list(const simdjson::dom::object& object, std::string_view name, std::string_view rule) {
    ASSIGN_OR_RETURN(const auto array, get<simdjson::dom::array>(object, name, "not a list"));
    std::vector<T> list;
    for (const element each : array) {
        T found{};
        if (each.get(found) != simdjson::SUCCESS) return invalid("{}[{}]: {}", name, list.size(), rule);
        list.push_back(found);
    }
    return list;
}

}  // namespace

struct JsonObject::Members {
    std::shared_ptr<const simdjson::dom::document> document;  ///< contains the object
    simdjson::dom::object object;
};

Result<JsonObject> parse_json_object(std::string_view text) {
    // Newer versions of simdjson skip it.
    if (text.starts_with("\xEF\xBB\xBF")) return invalid("not valid JSON: begins with a byte order mark");
    const auto document = std::make_shared<simdjson::dom::document>();
    simdjson::dom::parser parser;
    element root;
    simdjson::dom::object object;
    const auto error = parser.parse_into_document(*document, text.data(), text.size()).get(root);
    if (is_number_error(error)) return invalid("not valid JSON: a number is malformed, or too large for 64 bits");
    if (error == simdjson::MEMALLOC) throw std::bad_alloc{};  // says nothing of the text
    if (error != simdjson::SUCCESS) return invalid("not valid JSON");
    if (root.get(object) != simdjson::SUCCESS) return invalid("not a JSON object");
    return check_value(root, 1).map([&] {
        return JsonObject{std::make_shared<JsonObject::Members>(JsonObject::Members{document, object})};
    });
}

bool JsonObject::has(std::string_view name) const {
    return members_->object.at_key(name).error() == simdjson::SUCCESS;
}

bool JsonObject::is_null(std::string_view name) const {
    element value;
    return members_->object.at_key(name).get(value) != simdjson::SUCCESS || value.is_null();
}

std::vector<std::string_view> JsonObject::names() const {
    std::vector<std::string_view> names;
    for (const auto [name, value] : members_->object)
        names.push_back(name);
    return names;
}

Result<std::string> JsonObject::text(std::string_view name) const {
    return get<std::string_view>(members_->object, name, "not a text").map([](auto text) { return std::string{text}; });
}

Result<bool> JsonObject::flag(std::string_view name) const {
    return get<bool>(members_->object, name, "neither true nor false");
}

Result<JsonObject> JsonObject::object(std::string_view name) const {
    return get<simdjson::dom::object>(members_->object, name, "not an object").map([&](auto inner) {
        return JsonObject{std::make_shared<Members>(Members{members_->document, inner})};
    });
}

Result<std::vector<std::string>> JsonObject::texts(std::string_view name) const {
    return get_list<std::string_view>(members_->object, name, "not a text").map([](const auto& texts) {
        return std::vector<std::string>(texts.begin(), texts.end());
    });
}

Result<std::vector<JsonObject>> JsonObject::objects(std::string_view name) const {
    return get_list<simdjson::dom::object>(members_->object, name, "not an object").map([&](const auto& found) {
        std::vector<JsonObject> objects;
        objects.reserve(found.size());
        for (const auto& each : found)
            objects.push_back(JsonObject{std::make_shared<Members>(Members{members_->document, each})});
        return objects;
    });
}

Result<std::variant<std::int64_t, std::uint64_t>> JsonObject::whole_number(std::string_view name) const {
    ASSIGN_OR_RETURN(const auto value, get<element>(members_->object, name, ""));
    std::int64_t number = 0;
    std::uint64_t large = 0;
    if (value.get(number) == simdjson::SUCCESS) return number;
    if (value.get(large) == simdjson::SUCCESS) return large;
    return invalid("{}: not a whole number", name);
}

void JsonReader::know(std::string_view name) {
    const bool is_needless = others_ == Others::Ignored || std::ranges::find(known_, name) != known_.end();
    if (!is_needless) known_.emplace_back(name);
}

void JsonReader::fail(std::string_view name, Result<void> outcome) {
    if (result_ && !outcome) fail(std::move(outcome.error()).within(name));
}

void JsonReader::fail(Error error) {
    error.message.insert(0, path_);
    result_ = tl::unexpected(std::move(error));
}

Result<void> JsonReader::finish() const {
    if (others_ == Others::Ignored) return result_;
    for (const auto name : object_.names()) {
        const bool is_absent = others_ == Others::RefusedUnlessNull && object_.is_null(name);
        if (is_absent || std::ranges::find(known_, name) != known_.end()) continue;
        return invalid("{}{}: unknown; the members here are {}", path_, name.substr(0, kLongestName),
                       fmt::join(known_, ", "));
    }
    return result_;
}

}  // namespace headgate
