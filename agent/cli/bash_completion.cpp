#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "cli/completion.h"

namespace headgate::cli {
namespace {

constexpr std::string_view kBashHead =
    R"bash(# bash completion for headgate(1). Written by `headgate completion bash`, from the command tree: change it there.

# What may stand behind these commands: a further command, an option, an operand.
_headgate_what_follows() {
    commands='' options='' operand=''
    case $1 in
)bash";

constexpr std::string_view kBashValues = R"bash(    esac
}

# What an option or an operand takes. False where it takes nothing.
_headgate_value_of() {
    choices='' candidates='' paths=''
    case $1 in
)bash";

/// Nothing that was typed is evaluated, and compgen -W would do that with its words. COMP_WORDS has `--output=json` as
/// three words, since `=` is in COMP_WORDBREAKS.
constexpr std::string_view kBashTail = R"bash(        *) return 1 ;;
    esac
}

_headgate() {
    local commands options operand choices='' candidates='' paths=''
    local word=${COMP_WORDS[COMP_CWORD]} command='' option='' gateway=() each i
    _headgate_what_follows ''
    for ((i = 1; i < COMP_CWORD; ++i)); do
        each=${COMP_WORDS[i]}
        if [[ $each == '=' ]]; then
            continue
        elif [[ $option ]]; then
            case $option in @anywhere@) gateway+=("$option" "$each") ;; esac
            option=''
        elif [[ $each == -* ]]; then
            ! _headgate_value_of "$each" || option=$each
        elif [[ " $commands " == *" $each "* ]]; then
            command+=" $each"
            _headgate_what_follows "$command"
        else
            operand=''
        fi
    done
    [[ $word == '=' ]] && word=''

    choices='' candidates='' paths=''
    if [[ $option ]]; then
        _headgate_value_of "$option"
    elif [[ $word != -* && $operand ]]; then
        _headgate_value_of "$operand"
    elif [[ $word != -* && $commands ]]; then
        choices=$commands
    else
        choices=$options
    fi
    COMPREPLY=()
    while IFS= read -r each; do
        [[ $each && $each == "$word"* ]] || continue
        printf -v each %q "$each"
        COMPREPLY+=("$each")
    done < <(
        printf '%s\n' "${choices// /$'\n'}"
        [[ $candidates ]] && "$1" "${gateway[@]}" candidates "$candidates" 2>/dev/null
    )
    # Where nothing of that fits.
    [[ $paths ]] && compopt -o "$paths"
    return 0
}

complete -F _headgate headgate
)bash";

using BashValues = std::map<std::string, ValueHint>;

std::string_view bash_paths(ValueHint::Paths paths) {
    switch (paths) {
        case ValueHint::Paths::None:
            return "";
        case ValueHint::Paths::Files:
            return "default";
        case ValueHint::Paths::Folders:
            return "dirnames";
    }
    return "";
}

std::vector<std::string> names_of(const std::vector<CommandDescription>& commands) {
    std::vector<std::string> names;
    names.reserve(commands.size());
    for (const auto& each : commands)
        names.push_back(each.name);
    return names;
}

void append_assignment(std::string& out, std::string_view variable, std::string_view value) {
    if (!value.empty()) fmt::format_to(std::back_inserter(out), " {}='{}'", variable, value);
}

void append_commands(std::string& out, const CommandDescription& command, const std::string& path,
                     const std::vector<std::string>& anywhere) {
    std::vector<std::string> options;
    for (const auto& option : command.options)
        options.push_back(option.name);
    for (const auto& name : anywhere)
        if (std::ranges::find(options, name) == options.end()) options.push_back(name);
    fmt::format_to(std::back_inserter(out), "        '{}')", path);
    append_assignment(out, "commands", fmt::format("{}", fmt::join(names_of(command.commands), " ")));
    append_assignment(out, "operand", command.operand ? command.operand->name : "");
    append_assignment(out, "options", fmt::format("{}", fmt::join(options, " ")));
    out += " ;;\n";
    for (const auto& each : command.commands)
        append_commands(out, each, fmt::format("{} {}", path, each.name), anywhere);
}

void collect_values(BashValues& values, const CommandDescription& command) {
    for (const auto& option : command.options)
        if (!option.value.empty()) values.emplace(option.name, option.hint);
    if (command.operand) values.emplace(command.operand->name, command.operand->hint);
    for (const auto& each : command.commands)
        collect_values(values, each);
}

void append_values(std::string& out, const BashValues& values) {
    for (const auto& [name, hint] : values) {
        fmt::format_to(std::back_inserter(out), "        {})", name);
        append_assignment(out, "choices", fmt::format("{}", fmt::join(hint.choices, " ")));
        append_assignment(out, "candidates", hint.candidates);
        append_assignment(out, "paths", bash_paths(hint.paths));
        out += " ;;\n";
    }
}

}  // namespace

std::string bash_completion(const CommandDescription& headgate) {
    std::vector<std::string> anywhere;
    std::vector<std::string> of_gateway;
    for (const auto& option : headgate.options) {
        anywhere.push_back(option.name);
        if (!option.value.empty()) of_gateway.push_back(option.name);
    }
    BashValues values;
    collect_values(values, headgate);

    std::string script{kBashHead};
    append_commands(script, headgate, "", anywhere);
    script += kBashValues;
    append_values(script, values);
    std::string tail{kBashTail};
    constexpr std::string_view kAnywhere = "@anywhere@";
    tail.replace(tail.find(kAnywhere), kAnywhere.size(), fmt::format("{}", fmt::join(of_gateway, " | ")));
    return script + tail;
}

}  // namespace headgate::cli
