// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "base/printable.h"
#include "config/yaml_fault.h"

namespace headgate::config {
namespace {

constexpr std::size_t kDeepest = 16;  // a configuration needs three or four levels

int line_of(const YAML::Mark& mark) {
    return mark.is_null() ? 1 : mark.line + 1;
}

/// Builds a tree from the parser's events. Ignores all events after the first error.
class TreeBuilder : public YAML::EventHandler {
  public:
    [[nodiscard]] const std::optional<YamlFault>& fault() const { return fault_; }
    [[nodiscard]] YamlNode take_tree() { return std::move(root_); }
    /// The line of the innermost list or map that has not ended; 0: there is none.
    [[nodiscard]] int open_line() const { return open_.empty() ? 0 : open_.back()->line; }

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
};

std::optional<YamlFault> find_foreign_bytes(const std::string& text) {
    const auto at = find_unprintable(text, "\t\r\n");
    if (!at) return std::nullopt;
    const auto before = std::string_view{text}.substr(0, *at);
    return YamlFault{static_cast<int>(std::ranges::count(before, '\n')) + 1,
                     "not YAML: not UTF-8, or a control character"};
}

std::optional<YamlFault> build_tree(const std::string& text, TreeBuilder& builder) {
    if (auto fault = find_foreign_bytes(text)) return fault;
    try {
        std::istringstream stream{text};
        YAML::Parser parser{stream};
        while (!builder.fault() && parser.HandleNextDocument(builder)) {
        }
    } catch (const YAML::Exception& error) {
        if (builder.fault()) return builder.fault();
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
    return builder.take_tree();
}

}  // namespace headgate::config
