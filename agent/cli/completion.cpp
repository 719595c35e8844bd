// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/completion.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.h"
#include "cli/gateway_arguments.h"

namespace headgate::cli {
namespace {

template <typename Descriptions>
auto find_name(const Descriptions& descriptions, std::string_view name) {
    const auto found = std::ranges::find(descriptions, name, &Descriptions::value_type::name);
    return found == descriptions.end() ? nullptr : &*found;
}

const ArgumentDescription* find_option(const CommandDescription& headgate, const CommandDescription& command,
                                       std::string_view name) {
    const auto has_name = [&](const ArgumentDescription& each) {
        return each.name == name || std::ranges::find(each.other_names, name) != each.other_names.end();
    };
    for (const auto* options : {&command.options, &headgate.options})
        if (const auto found = std::ranges::find_if(*options, has_name); found != options->end()) return &*found;
    return nullptr;
}

/// The context of the word at the cursor, derived from the words before it.
struct CursorContext {
    const CommandDescription* command;
    const ArgumentDescription* option = nullptr;  ///< the option whose value comes next
    bool has_operand = false;
};

/// Parses a command line that may be incomplete or invalid.
class LineReader {
  public:
    explicit LineReader(const CommandDescription& headgate) : headgate_(headgate) {}

    void read(const std::string& word) {
        if (here_.option != nullptr) {
            set_value(*std::exchange(here_.option, nullptr), word);
        } else if (word.starts_with('-')) {
            read_option(word);
        } else if (const auto* command = find_name(here_.command->commands, word)) {
            here_.command = command;
        } else {
            here_.has_operand = true;
        }
    }

    /// Skips the word at the cursor and returns its context.
    CursorContext skip() { return {here_.command, std::exchange(here_.option, nullptr), here_.has_operand}; }

    [[nodiscard]] const GatewayArguments& gateway() const { return gateway_; }
    [[nodiscard]] bool has(const std::string& option) const { return given_.contains(option); }

  private:
    void read_option(std::string_view word) {
        const bool has_value = word.find('=') != std::string_view::npos;
        const auto* option = find_option(headgate_, *here_.command, take_until(word, '='));
        if (option == nullptr) return;
        given_.insert(option->name);
        if (option->value.empty()) return;
        if (has_value) {
            set_value(*option, std::string{word});
        } else {
            here_.option = option;
        }
    }

    void set_value(const ArgumentDescription& option, const std::string& value) {
        if (option.name == "--config") gateway_.configuration = value;
        if (option.name == "--socket") gateway_.socket = value;
        if (option.name == "--state-dir") gateway_.state_dir = value;
    }

    const CommandDescription& headgate_;
    CursorContext here_{&headgate_};
    std::set<std::string> given_;
    GatewayArguments gateway_;
};

/// Whether bash separates two words here (COMP_WORDBREAKS).
bool is_break(std::string_view word) {
    return !word.empty() && word.find_first_not_of("=:") == std::string_view::npos;
}

struct CommandLine {
    std::vector<std::string> words;
    std::size_t position;
    std::string before;  ///< the part of the word at the cursor that bash takes for other words
};

/// bash passes `--source=fd00::1` as five words: puts them together again.
CommandLine joined(std::span<const std::string> words, std::size_t position) {
    CommandLine line{{}, position, {}};
    for (std::size_t i = 0; i < words.size(); ++i) {
        const bool continues = i > 0 && (is_break(words[i]) || is_break(words[i - 1]));
        if (!continues) {
            line.words.push_back(words[i]);
            continue;
        }
        if (i == position) line.before = line.words.back() + (is_break(words[i]) ? words[i] : "");
        line.words.back() += words[i];
        if (i <= position) --line.position;
    }
    return line;
}

/// For bash, which puts a candidate in the place of what follows the last `:`, too.
Candidates without_begin(const Candidates& candidates, std::string_view begin) {
    Candidates rest;
    for (const auto& [word, meaning] : candidates)
        if (word.starts_with(begin)) rest.emplace(word.substr(begin.size()), meaning);
    return rest;
}

Completion values_of(const ArgumentDescription& argument, const GatewayArguments& gateway, std::string_view written) {
    Completion completion;
    completion.paths = argument.hint.paths;
    for (const auto& choice : argument.hint.choices)
        completion.candidates.emplace(choice, "");
    if (argument.hint.candidates != nullptr) completion.candidates.merge(argument.hint.candidates(gateway));
    if (argument.hint.parts != nullptr) completion.candidates.merge(argument.hint.parts(written));
    return completion;
}

Completion commands_of(const CommandDescription& command) {
    Completion completion;
    for (const auto& each : command.commands)
        completion.candidates.emplace(each.name, each.purpose);
    return completion;
}

Completion complete_words(const CommandDescription& headgate, std::span<const std::string> words,
                          std::size_t position) {
    LineReader line{headgate};
    for (std::size_t i = 1; i < std::min(position, words.size()); ++i)
        line.read(words[i]);
    const auto cursor = line.skip();
    for (std::size_t i = position + 1; i < words.size(); ++i)
        line.read(words[i]);
    std::string_view value = position < words.size() ? std::string_view{words[position]} : "";
    if (cursor.option != nullptr) return values_of(*cursor.option, line.gateway(), value);
    const bool is_option = value.starts_with('-');
    if (is_option && value.find('=') != std::string_view::npos) {
        const auto* option = find_option(headgate, *cursor.command, take_until(value, '='));
        return option != nullptr ? values_of(*option, line.gateway(), value) : Completion{};
    }
    if (!is_option && cursor.command->operand && !cursor.has_operand) {
        return values_of(*cursor.command->operand, line.gateway(), value);
    }
    if (!is_option && !cursor.command->commands.empty()) return commands_of(*cursor.command);

    Completion completion;
    for (const auto* options : {&cursor.command->options, &headgate.options})
        for (const auto& option : *options)
            if (option.repeats || !line.has(option.name)) completion.candidates.emplace(option.name, option.purpose);
    return completion;
}

}  // namespace

Completion complete(const CommandDescription& headgate, std::span<const std::string> typed, std::size_t cursor_word) {
    const auto line = joined(typed, cursor_word);
    auto completion = complete_words(headgate, line.words, line.position);
    const auto begin = line.before.substr(line.before.rfind('=') + 1);
    completion.candidates = without_begin(completion.candidates, begin);
    return completion;
}

}  // namespace headgate::cli
