// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <vector>

#include "base/printable.h"
#include "base/text.h"

namespace headgate::config {
namespace {

constexpr std::string_view kNoReferences = "anchors and aliases are not understood here; write the value out";
constexpr std::string_view kNoTags = "tags are not understood here; write the value alone";

struct YamlFault {
    int line = 1;  ///< starts at 1
    std::string text;
};

/// What the parser reports.
struct ParserComplaint {
    std::string_view message;
    int line = 1;       ///< starts at 1
    int column = 0;     ///< starts at 0
    int open_line = 0;  ///< of the innermost list or map that has begun and not ended; 0: none
};

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

/// Never quotes the text, which may have secrets.
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

constexpr std::size_t kDeepest = 16;  // a configuration needs three or four levels

int line_of(const YAML::Mark& mark) {
    return mark.is_null() ? 1 : mark.line + 1;
}

/// Builds a tree from the parser's events. Ignores all events after the first error.
class TreeBuilder : public YAML::EventHandler {
  public:
    [[nodiscard]] const std::optional<YamlFault>& fault() const { return fault_; }
    [[nodiscard]] YamlNode tree() && { return std::move(root_); }
    /// The line of the innermost list or map that has not ended; 0: there is none.
    [[nodiscard]] int open_line() const { return open_.empty() ? 0 : open_.back()->line; }
    /// The line of what began last.
    [[nodiscard]] int last_line() const { return last_line_; }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (++documents_ > 1)
            find_fault(mark, "begins something new after the end of the map: is its indentation right?");
    }
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        begin(YamlNode::Kind::Null, mark, "", anchor);
        end();
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override { OnNull(mark, anchor); }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        begin(YamlNode::Kind::Text, mark, tag, anchor, value);
        end();
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        begin(YamlNode::Kind::List, mark, tag, anchor);
    }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        begin(YamlNode::Kind::Map, mark, tag, anchor);
    }
    void OnDocumentEnd() override {}
    void OnSequenceEnd() override { end(); }
    void OnMapEnd() override { end(); }

  private:
    void begin(YamlNode::Kind kind, const YAML::Mark& mark, std::string_view tag, YAML::anchor_t anchor,
               std::string text = {}) {
        // yaml-cpp sets these tags on values without one: "?" on plain ones, "!" on quoted ones.
        const bool tagged = !tag.empty() && tag != "?" && tag != "!";
        if (tagged) find_fault(mark, std::string{kNoTags});
        if (anchor != YAML::NullAnchor) find_fault(mark, std::string{kNoReferences});
        last_line_ = line_of(mark);
        if (open_.size() >= kDeepest) find_fault(mark, fmt::format("nested deeper than {} levels", kDeepest));
        if (fault_) return;
        // Pointers to open nodes stay valid: the list of siblings grows only after the node has ended.
        auto& place = open_.empty() ? root_ : open_.back()->children.emplace_back();
        place = {kind, line_of(mark), std::move(text), {}};
        open_.push_back(&place);
    }
    void end() {
        if (!fault_) open_.pop_back();
    }
    void find_fault(const YAML::Mark& mark, std::string rule) {
        if (!fault_) fault_ = YamlFault{line_of(mark), std::move(rule)};
    }

    YamlNode root_;
    std::vector<YamlNode*> open_;
    std::optional<YamlFault> fault_;
    int documents_ = 0;
    int last_line_ = 1;
};

std::optional<YamlFault> find_foreign_bytes(const std::string& text) {
    const auto at = find_unprintable(text, "\t\r\n");
    if (!at) return std::nullopt;
    const auto before = std::string_view{text}.substr(0, *at);
    return YamlFault{static_cast<int>(std::ranges::count(before, '\n')) + 1,
                     "not YAML: not UTF-8, or a control character"};
}

/// Ends the document, and may not stand in quotes: without it, the parser takes the end of the text for that of a
/// quote.
constexpr std::string_view kEnd = "\n...\n";

std::optional<YamlFault> build_tree(const std::string& text, TreeBuilder& builder) {
    if (auto fault = find_foreign_bytes(text)) return fault;
    try {
        std::istringstream stream{text + std::string{kEnd}};
        YAML::Parser parser{stream};
        while (!builder.fault() && parser.HandleNextDocument(builder)) {
        }
    } catch (const YAML::Exception& error) {
        if (builder.fault()) return builder.fault();
        const bool is_at_end = line_of(error.mark) > std::ranges::count(text, '\n') + 1;
        if (is_at_end && error.msg == Message::DOC_IN_SCALAR)
            return describe_fault({Message::EOF_IN_SCALAR, builder.last_line()}, text);
        return describe_fault({error.msg, line_of(error.mark), error.mark.column, builder.open_line()}, text);
    } catch (const std::exception& error) {
        return YamlFault{1, fmt::format("not YAML: {}", error.what())};
    }
    return builder.fault();
}

}  // namespace

Result<YamlNode> parse_yaml_tree(const std::string& text, std::string_view name) {
    TreeBuilder builder;
    if (const auto fault = build_tree(text, builder)) {
        return invalid("{}", to_one_line(fmt::format("{}:{}: {}", name, fault->line, fault->text)));
    }
    return std::move(builder).tree();
}

}  // namespace headgate::config
