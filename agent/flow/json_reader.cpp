#include "flow/json_reader.h"

#include <Poco/Exception.h>
#include <Poco/JSON/ParseHandler.h>
#include <Poco/JSON/Parser.h>

#include <set>

namespace headgate {
namespace {

/// A list of operations with their filters and protocols has six levels.
constexpr std::size_t kDeepest = 16;
constexpr std::size_t kLongestName = 128;  ///< of a member that is given twice, as it is told

constexpr const char* kNoJson = "not valid JSON";
constexpr const char* kTooLarge = "not JSON that fits: a number is too large";

/// Whether 64 bits hold a number that begins there: of one that is larger, Poco's parser makes a silent 0 up to 1.12,
/// and throws since.
bool fits(std::string_view digits, bool is_negative) {
    const std::string_view largest = is_negative ? "9223372036854775808" : "18446744073709551615";
    return digits.size() < largest.size() || (digits.size() == largest.size() && digits <= largest);
}

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool all_numbers_fit(std::string_view text) {
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '"') in_string = !in_string;
        if (in_string && c == '\\') ++i;
        if (in_string || !is_digit(c)) continue;
        const std::size_t first = i;
        while (i + 1 < text.size() && is_digit(text[i + 1]))
            ++i;
        if (!fits(text.substr(first, i + 1 - first), first != 0 && text[first - 1] == '-')) return false;
    }
    return true;
}

/// The parser would take the last of two members with one name, and so carry out half of what was asked (RFC 8259,
/// section 4: what becomes of them is not defined).
class MembersOnce final : public Poco::JSON::ParseHandler {
  public:
    void startObject() override {
        names_.emplace_back();
        ParseHandler::startObject();
    }
    void endObject() override {
        names_.pop_back();
        ParseHandler::endObject();
    }
    void key(const std::string& name) override {
        if (!names_.back().insert(name).second && !repeated_) repeated_ = name;
        ParseHandler::key(name);
    }

    [[nodiscard]] const std::optional<std::string>& repeated() const { return repeated_; }

  private:
    std::vector<std::set<std::string>> names_;  ///< of the objects that are open
    std::optional<std::string> repeated_;
};

}  // namespace

Result<JsonObject> parse_json_object(const std::string& text) {
    try {
        const auto members = Poco::makeShared<MembersOnce>();
        Poco::JSON::Parser parser{members};
        parser.setDepth(kDeepest);
        const auto parsed = parser.parse(text);
        if (parsed.type() != typeid(JsonObject)) return invalid("not a JSON object");
        if (members->repeated()) return invalid("{}: given twice", members->repeated()->substr(0, kLongestName));
        if (!all_numbers_fit(text)) return invalid(kTooLarge);
        return parsed.extract<JsonObject>();
    } catch (const Poco::SyntaxException&) {
        // Of NumberParser; what is no JSON is a JSONException.
        return all_numbers_fit(text) ? invalid(kNoJson) : invalid(kTooLarge);
    } catch (const std::exception&) {
        // Of Poco, or of the standard library underneath: its message speaks of the parser, not of the text.
        return invalid(kNoJson);
    }
}

Result<std::string> read_text(const JsonObject& object, const std::string& name) {
    const auto value = object->get(name);
    if (value.isEmpty()) return invalid("{}: missing", name);
    if (!value.isString()) return invalid("{}: not a text", name);
    return value.extract<std::string>();
}

Result<bool> read_flag(const JsonObject& object, const std::string& name) {
    const auto value = object->get(name);
    if (value.isEmpty()) return invalid("{}: missing", name);
    if (!value.isBoolean()) return invalid("{}: neither true nor false", name);
    return value.extract<bool>();
}

Result<JsonObject> read_object(const JsonObject& object, const std::string& name) {
    if (object->get(name).isEmpty()) return invalid("{}: missing", name);
    auto inner = object->getObject(name);
    if (inner.isNull()) return invalid("{}: not an object", name);
    return inner;
}

Result<std::vector<std::string>> read_texts(const JsonObject& object, const std::string& name) {
    if (object->get(name).isEmpty()) return invalid("{}: missing", name);
    const auto list = object->getArray(name);
    if (list.isNull()) return invalid("{}: not a list", name);
    std::vector<std::string> texts;
    for (unsigned i = 0; i < list->size(); ++i) {
        const auto value = list->get(i);
        if (!value.isString()) return invalid("{}[{}]: not a text", name, i);
        texts.push_back(value.extract<std::string>());
    }
    return texts;
}

Result<void> JsonReader::finish() const {
    if (!result_ || others_ == Others::Ignored) return result_;
    for (const auto& name : object_->getNames()) {
        if (std::ranges::find(known_, name) == known_.end()) return invalid("{}: unknown", name);
    }
    return {};
}

}  // namespace headgate
