// SPDX-License-Identifier: GPL-2.0-or-later
#include "rematch/candidate.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <tuple>
#include <vector>

#include "base/text.h"
#include "files/file_descriptor.h"
#include "rematch/nft_context.h"
#include "rematch/rule_text.h"
#include "rematch/ruleset_loader.h"
#include "rematch/snapshot.h"

namespace headgate::rematch {
namespace {

/// Words outside of quotation marks and comments.
std::vector<std::string_view> words_of(std::string_view text) {
    constexpr std::string_view kEnds = " \t\r\n;{},=:#\"";
    std::vector<std::string_view> words;
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] == '#') {
            at = std::min(text.find('\n', at), text.size());
        } else if (text[at] == '"') {
            at = std::min(text.find('"', at + 1), text.size() - 1) + 1;
        } else if (kEnds.find(text[at]) != std::string_view::npos) {
            ++at;
        } else {
            const auto end = std::min(text.find_first_of(kEnds, at), text.size());
            words.push_back(text.substr(at, end - at));
            at = end;
        }
    }
    return words;
}

/// The lines of nft's complaint that name an error, without the name of the file.
std::string errors_in(std::string_view complaint, std::string_view file) {
    constexpr int kMostLines = 5;
    std::string errors;
    for (int lines = 0; !complaint.empty() && lines < kMostLines;) {
        auto line = take_until(complaint, '\n');
        if (line.find("Error: ") == std::string_view::npos) continue;
        if (line.starts_with(file)) line.remove_prefix(std::min(file.size() + 1, line.size()));
        if (!errors.empty()) errors += "; ";
        errors += line;
        ++lines;
    }
    return errors.empty() ? "nft gives no reason" : errors;
}

/// As `nft -f` would, from a file in memory, so that errors have lines.
Result<void> run(const std::string& candidate) {
    const FileDescriptor file{::memfd_create("candidate", MFD_CLOEXEC)};
    if (!file.is_open()) return system_error(errno, "keeping the candidate in memory");
    for (std::string_view rest = candidate; !rest.empty();) {
        const auto written = ::write(file.get(), rest.data(), rest.size());
        if (written < 0) return system_error(errno, "keeping the candidate in memory");
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
    const auto context = open_nft_context();
    if (!context) return failed("libnftables cannot be used");
    const auto path = fmt::format("/proc/self/fd/{}", file.get());
    if (nft_run_cmd_from_filename(context.get(), path.c_str()) == 0) return {};
    return make_error(ErrorKind::Unloadable, "{}", errors_in(nft_ctx_get_error_buffer(context.get()), path));
}

Result<RulesetBytecode> read_back() {
    ASSIGN_OR_RETURN(const auto messages, read_ruleset_messages());
    return parse_ruleset(messages);
}

/// Identifies a rule of the copy. A table's handle is used only once in a namespace, so a table that was removed and
/// made again has none of the rules of the earlier one.
using CopyOfRule = std::tuple<std::uint64_t, std::uint64_t>;

class TableHandles {
  public:
    explicit TableHandles(const RulesetBytecode& ruleset) {
        for (const auto& table : ruleset.tables)
            handles_[{table.family, table.table}] = table.handle;
    }
    [[nodiscard]] std::uint64_t of(const RuleBytecode& rule) const {
        const auto found = handles_.find({rule.family, rule.table});
        return found == handles_.end() ? 0 : found->second;
    }

  private:
    std::map<std::pair<std::uint8_t, std::string>, std::uint64_t> handles_;
};

/// The handles in force of the rules of a copy, which the kernel lists in the same order chain by chain.
std::map<CopyOfRule, std::uint64_t> handles_in_force(const RulesetBytecode& in_force, const RulesetBytecode& copy) {
    using ChainName = std::tuple<std::uint8_t, std::string, std::string>;
    std::map<ChainName, std::vector<std::uint64_t>> originals;
    for (const auto& rule : in_force.rules)
        originals[{rule.family, rule.table, rule.chain}].push_back(rule.handle);
    const TableHandles tables{copy};
    std::map<ChainName, std::size_t> next;
    std::map<CopyOfRule, std::uint64_t> handles;
    for (const auto& rule : copy.rules) {
        const ChainName chain{rule.family, rule.table, rule.chain};
        const auto& of_chain = originals[chain];
        const auto index = next[chain]++;
        if (index < of_chain.size()) handles[{tables.of(rule), rule.handle}] = of_chain[index];
    }
    return handles;
}

}  // namespace

std::string objection_to(std::string_view candidate) {
    if (candidate.find('\0') != std::string_view::npos) return "the candidate is not text";
    for (const auto word : words_of(candidate)) {
        if (word == "include") return "a candidate must not include files: write it as one file";
        if (word == "monitor") return "a candidate must not wait for events";
        if (word == "handle" || word == "position") {
            return "a candidate must not name rules by handle: they have others in the copy that it is tried on";
        }
    }
    return {};
}

Result<RulesetBytecode> apply_candidate(const RulesetBytecode& in_force, const std::string& candidate) {
    if (const auto objection = objection_to(candidate); !objection.empty()) {
        return make_error(ErrorKind::Unloadable, "{}", objection);
    }
    RETURN_IF_ERROR(load_as_it_is(in_force));
    ASSIGN_OR_RETURN(const auto copy, read_back());
    const auto handles = handles_in_force(in_force, copy);
    RETURN_IF_ERROR(run(candidate));
    ASSIGN_OR_RETURN(auto result, read_back());
    const TableHandles tables{result};
    const auto texts = list_rules();
    for (auto& rule : result.rules) {
        const auto text = texts.find({family_name(rule.family), rule.table, rule.handle});
        if (text != texts.end()) rule.text = text->second;
        const auto found = handles.find({tables.of(rule), rule.handle});
        rule.handle = found == handles.end() ? 0 : found->second;
    }
    RETURN_IF_ERROR(remove_all_tables());
    return result;
}

}  // namespace headgate::rematch
