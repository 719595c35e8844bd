// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/yaml_fault.h"

#include <yaml-cpp/exceptions.h>

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace headgate::config {
namespace {

namespace Message = YAML::ErrorMsg;

constexpr std::string_view kTab = "a tab in the indentation: YAML permits spaces only";
constexpr std::string_view kIndentation = "wrong indentation: this line fits into no map and no list above";

struct Rule {
    std::string_view message;  ///< its beginning; some have an addition
    std::string_view text;
};

constexpr std::string_view kNoDirectives = "lines that begin with % are not understood here";
constexpr std::string_view kEscape =
    "an escape sequence that YAML does not know: write \\\\ for a backslash, or use single quotes";
constexpr std::string_view kBlock = "after | or > the text begins on the next line";

/// What does not depend on the lines around.
const std::vector<Rule>& rules() {
    static const std::vector<Rule> all = {
        {Message::TAB_IN_INDENTATION, kTab},
        {Message::FLOW_END, "a ] or } without the [ or { that it ends"},
        {Message::BLOCK_ENTRY, "a list cannot begin in this line: begin each item, with its -, on a line of its own"},
        {Message::MAP_KEY, "a key cannot begin here: is it on a line of its own?"},
        {Message::UNKNOWN_TOKEN, "a value cannot begin with this character: put the value in quotes"},
        {Message::EOF_IN_SCALAR, "a quote that begins here does not end"},
        {Message::DOC_IN_SCALAR, "a quote is still open here: does it end?"},
        {Message::INVALID_ESCAPE, kEscape},
        {Message::INVALID_HEX, kEscape},
        {Message::INVALID_UNICODE, kEscape},
        {Message::CHAR_IN_BLOCK, kBlock},
        {Message::ZERO_INDENT_IN_BLOCK, kBlock},
        {Message::ALIAS_NOT_FOUND, kNoReferences},
        {Message::ANCHOR_NOT_FOUND, kNoReferences},
        {Message::CHAR_IN_ALIAS, kNoReferences},
        {Message::CHAR_IN_ANCHOR, kNoReferences},
        {Message::MULTIPLE_ANCHORS, kNoReferences},
        {Message::MULTIPLE_ALIASES, kNoReferences},
        {Message::ALIAS_CONTENT, kNoReferences},
        {Message::UNKNOWN_ANCHOR, kNoReferences},
        {Message::MULTIPLE_TAGS, kNoTags},
        {Message::CHAR_IN_TAG_HANDLE, kNoTags},
        {Message::TAG_WITH_NO_SUFFIX, kNoTags},
        {Message::END_OF_VERBATIM_TAG, kNoTags},
        {Message::YAML_DIRECTIVE_ARGS, kNoDirectives},
        {Message::YAML_VERSION, kNoDirectives},
        {Message::YAML_MAJOR_VERSION, kNoDirectives},
        {Message::REPEATED_YAML_DIRECTIVE, kNoDirectives},
        {Message::TAG_DIRECTIVE_ARGS, kNoDirectives},
        {Message::REPEATED_TAG_DIRECTIVE, kNoDirectives},
    };
    return all;
}

/// A line that has more than a comment.
struct Line {
    int number = 0;  ///< 0: there is none
    std::string_view text;

    [[nodiscard]] std::size_t indentation() const { return std::min(text.find_first_not_of(" \t"), text.size()); }
    [[nodiscard]] std::string_view content() const { return text.substr(indentation()); }
    [[nodiscard]] bool is_indented_by_tab() const {
        return text.substr(0, indentation()).find('\t') != std::string_view::npos;
    }
    [[nodiscard]] bool is_item() const { return content().starts_with("- "); }
    [[nodiscard]] bool has_key() const { return has_colon(text); }

    [[nodiscard]] static bool has_colon(std::string_view text) {
        return text.find(": ") != std::string_view::npos || text.find(":\t") != std::string_view::npos ||
               text.ends_with(':');
    }
};

class Lines {
  public:
    explicit Lines(std::string_view text) {
        for (int number = 1; !text.empty(); ++number) {
            auto line = take_until(text, '\n');
            if (line.ends_with('\r')) line.remove_suffix(1);
            const Line found{number, line};
            if (!found.content().empty() && !found.content().starts_with('#')) lines_.push_back(found);
        }
    }

    [[nodiscard]] Line at(int number) const {
        const auto found = std::ranges::find(lines_, number, &Line::number);
        return found == lines_.end() ? Line{} : *found;
    }
    /// The last one before a line.
    [[nodiscard]] Line before(int number) const {
        const auto next = std::ranges::find_if(lines_, [=](const Line& each) { return each.number >= number; });
        return next == lines_.begin() ? Line{} : *(next - 1);
    }

  private:
    std::vector<Line> lines_;
};

/// A colon where no key can end: the parser takes lines without a colon, and lines that are indented deeper, for the
/// continuation of the value above.
YamlFault describe_colon(const ParserComplaint& complaint, const Line& here, const Line& above) {
    const auto before =
        here.text.substr(0, std::min<std::size_t>(static_cast<std::size_t>(complaint.column), here.text.size()));
    if (Line::has_colon(before)) return {here.number, "a second colon in one line: put the value in quotes"};
    const bool lacks_colon =
        above.number > 0 && !above.has_key() && !above.is_item() && above.indentation() == here.indentation();
    if (lacks_colon) return {above.number, "no colon: after a key stand a colon and a space"};
    if (above.number > 0 && here.indentation() > above.indentation()) {
        return {here.number, "wrong indentation: this line is indented deeper than the one above, which has a value"};
    }
    return {here.number, std::string{kIndentation}};
}

/// Something that is not the next key or the next item.
YamlFault describe_end(const ParserComplaint& complaint, const Line& here) {
    const bool begins_line = static_cast<std::size_t>(complaint.column) <= here.indentation();
    if (!begins_line) return {complaint.line, "something follows the end of the value: put the whole value in quotes"};
    if (here.is_item()) return {complaint.line, "a list item where a key belongs: is its indentation right?"};
    if (here.number > 0 && !here.has_key()) return {complaint.line, "no colon: after a key stand a colon and a space"};
    return {complaint.line, std::string{kIndentation}};
}

bool is_any_of(std::string_view message, std::initializer_list<std::string_view> others) {
    return std::ranges::find(others, message) != others.end();
}

}  // namespace

YamlFault describe_fault(const ParserComplaint& complaint, std::string_view text) {
    const Lines lines{text};
    const auto here = lines.at(complaint.line);
    if (here.is_indented_by_tab()) return {complaint.line, std::string{kTab}};
    const auto& message = complaint.message;
    const int opened = complaint.open_line > 0 ? complaint.open_line : complaint.line;
    if (message == Message::MAP_VALUE) return describe_colon(complaint, here, lines.before(complaint.line));
    if (is_any_of(message, {Message::END_OF_MAP, Message::END_OF_SEQ})) return describe_end(complaint, here);
    if (message == Message::END_OF_SEQ_FLOW) return {opened, "the list that begins with [ does not end with ]"};
    if (message == Message::END_OF_MAP_FLOW) return {opened, "the map that begins with { does not end with }"};
    const auto rule =
        std::ranges::find_if(rules(), [&](const Rule& each) { return message.starts_with(each.message); });
    if (rule != rules().end()) return {complaint.line, std::string{rule->text}};
    return {complaint.line, "not YAML: are indentation, colons and quotes right?"};
}

}  // namespace headgate::config
