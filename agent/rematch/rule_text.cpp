// SPDX-License-Identifier: GPL-2.0-or-later
#include "rematch/rule_text.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"
#include "rematch/nft_context.h"

namespace headgate::rematch {
namespace {

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == '\t' || text.front() == ' '))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == '\t' || text.back() == ' '))
        text.remove_suffix(1);
    return text;
}

struct ListedLine {
    std::string_view text;
    std::optional<std::uint64_t> handle;
};

/// Splits `tcp dport 22 drop # handle 5`.
ListedLine split_handle(std::string_view line) {
    constexpr std::string_view kHandle = " # handle ";
    const auto at = line.rfind(kHandle);
    if (at == std::string_view::npos) return {line, std::nullopt};
    const auto digits = line.substr(at + kHandle.size());
    std::uint64_t handle = 0;
    const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), handle);
    if (fault != std::errc{} || end != digits.data() + digits.size()) return {line, std::nullopt};
    return {line.substr(0, at), handle};
}

class ListingParser {
  public:
    void add(std::string_view raw) {
        const auto line = split_handle(trimmed(raw));
        if (line.text.ends_with('{')) return open_block(line.text);
        if (line.text.starts_with('}')) return close_block();
        if (!in_chain_ || line.text.empty()) return;
        const bool heading =
            line.text.starts_with("type ") || line.text.starts_with("policy ") || line.text.starts_with("comment ");
        if (rule_.empty() && heading && !line.handle) return;
        if (!rule_.empty()) rule_ += ' ';
        rule_ += line.text;
        if (!line.handle) return;  // a long set continues on the next line
        texts_[{family_, table_, *line.handle}] = std::move(rule_);
        rule_.clear();
    }

    [[nodiscard]] RuleTexts finish() && { return std::move(texts_); }

  private:
    void open_block(std::string_view line) {
        rule_.clear();
        if (next_word(line) == "table") {
            family_ = next_word(line);
            table_ = next_word(line);
            in_chain_ = false;
            depth_ = 0;
            return;
        }
        ++depth_;
        in_chain_ |= depth_ == 1;
        // Sets and maps have no rules: nothing in them has a handle.
    }

    void close_block() {
        rule_.clear();
        if (depth_ > 0) --depth_;
        in_chain_ = depth_ > 0;
    }

    static std::string_view next_word(std::string_view& line) { return take_until(line, ' '); }

    RuleTexts texts_;
    std::string family_;
    std::string table_;
    std::string rule_;
    bool in_chain_ = false;
    int depth_ = 0;
};

/// Whether nft's grammar has such a name (scanner.l): others would be read as commands.
bool is_name(std::string_view text) {
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    const auto is_further = [&](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') || c == '/' || c == '.' || c == '-';
    };
    return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, is_further);
}

RuleTexts listed_by(const std::string& command) {
    const auto context = open_nft_context();
    if (!context) return {};
    nft_ctx_output_set_flags(context.get(), NFT_CTX_OUTPUT_HANDLE | NFT_CTX_OUTPUT_STATELESS | NFT_CTX_OUTPUT_TERSE);
    if (nft_run_cmd_from_buffer(context.get(), command.c_str()) != 0) return {};
    return parse_listing(nft_ctx_get_output_buffer(context.get()));
}

}  // namespace

RuleTexts parse_listing(std::string_view listing) {
    ListingParser parser;
    while (!listing.empty())
        parser.add(take_until(listing, '\n'));
    return std::move(parser).finish();
}

RuleTexts list_rules() {
    return listed_by("list ruleset");
}

RuleTexts list_rules_of_chain(std::string_view family, std::string_view table, std::string_view chain) {
    for (const auto name : {family, table, chain}) {
        if (!is_name(name)) return {};
    }
    return listed_by(fmt::format("list chain {} {} {}", family, table, chain));
}

}  // namespace headgate::rematch
