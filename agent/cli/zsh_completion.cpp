#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "cli/completion.h"

namespace headgate::cli {
namespace {

constexpr std::string_view kZshHead = R"zsh(#compdef headgate
# zsh completion for headgate(1). Written by `headgate completion zsh`, from the command tree: change it there.

# The last word is what headgate is asked for; those before it say how zsh wants to show it.
_headgate_candidates() {
    compadd "${@[1,-2]}" -- ${(f)"$("$program" $gateway candidates $@[-1] 2>/dev/null)"}
}

_headgate_candidates_or_files() {
    _headgate_candidates "$@" || _files
}

# What stands behind a command that has commands of its own; $1 is how its functions begin.
_headgate_command() {
    case $state in
        (command) _describe -t commands command commands ;;
        (arguments) (( $+functions[$1$line[1]] )) && $1$line[1] ;;
    esac
}
)zsh";

/// The function of the name of the file comes last: it is what zsh calls when it has loaded the file.
constexpr std::string_view kZshTail = R"zsh(
_headgate() {
    local program=${(Q)words[1]} i
    local -a gateway
    for ((i = 2; i < CURRENT; ++i)); do
        case $words[i] in
            (@anywhere@) gateway+=($words[i] ${(Q)words[i + 1]}) ;;
            (@anywhere_with_value@) gateway+=(${(Q)words[i]}) ;;
        esac
    done
    _headgate_
}

_headgate "$@"
)zsh";

/// With a backslash in front of each of these.
std::string guarded(std::string_view text, std::string_view these) {
    std::string guarded;
    for (const char c : text) {
        if (these.find(c) != std::string_view::npos) guarded += '\\';
        guarded += c;
    }
    return guarded;
}

std::string in_quotes(std::string_view text) {
    std::string quoted = "'";
    for (const char c : text)
        quoted += c == '\'' ? std::string{R"('\'')"} : std::string{c};
    return quoted + "'";
}

std::string zsh_action(const ValueHint& hint) {
    const bool or_files = hint.paths == ValueHint::Paths::Files;
    if (!hint.choices.empty()) return fmt::format("({})", fmt::join(hint.choices, " "));
    if (!hint.candidates.empty()) {
        return fmt::format("_headgate_candidates{} {}", or_files ? "_or_files" : "", hint.candidates);
    }
    if (or_files) return "_files";
    return hint.paths == ValueHint::Paths::Folders ? "_files -/" : " ";
}

std::string zsh_value(const ArgumentDescription& argument) {
    return fmt::format(":{}:{}", guarded(argument.value, ":\\"), zsh_action(argument.hint));
}

std::string zsh_option(const ArgumentDescription& option) {
    const bool has_value = !option.value.empty();
    return in_quotes(fmt::format("{}{}{}[{}]{}", option.repeats ? "*" : "", option.name, has_value ? "=" : "",
                                 guarded(option.purpose, "[]\\"), has_value ? zsh_value(option) : ""));
}

/// One function a command, the inner ones first: `_headgate_policy_apply`, and `_headgate_` for headgate itself.
void append_functions(std::string& out, const CommandDescription& command, const std::string& function,
                      const std::vector<ArgumentDescription>& anywhere) {
    const auto to = std::back_inserter(out);
    const bool is_first = function == "_headgate_";
    const auto inner = is_first ? function : function + "_";
    for (const auto& each : command.commands)
        append_functions(out, each, inner + each.name, anywhere);

    fmt::format_to(to, "\n{}() {{\n", function);
    if (!command.commands.empty()) {
        out += "    local curcontext=$curcontext context state state_descr line\n    local -A opt_args\n";
        out += "    local -a commands=(\n";
        for (const auto& each : command.commands)
            fmt::format_to(to, "        {}\n", in_quotes(fmt::format("{}:{}", each.name, each.purpose)));
        out += "    )\n";
    }
    fmt::format_to(to, "    _arguments{}", command.commands.empty() ? "" : " -C -A '-*'");
    for (const auto& option : command.options)
        fmt::format_to(to, " \\\n        {}", zsh_option(option));
    for (const auto& option : anywhere) {
        const bool is_there =
            std::ranges::find(command.options, option.name, &ArgumentDescription::name) != command.options.end();
        if (!is_there) fmt::format_to(to, " \\\n        {}", zsh_option(option));
    }
    if (command.operand) fmt::format_to(to, " \\\n        {}", in_quotes("1" + zsh_value(*command.operand)));
    if (!command.commands.empty()) {
        fmt::format_to(to, " \\\n        '1: :->command' '*:: :->arguments' && return\n    _headgate_command {}",
                       inner);
    }
    out += "\n}\n";
}

void replace_once(std::string& text, std::string_view what, const std::string& by) {
    text.replace(text.find(what), what.size(), by);
}

}  // namespace

std::string zsh_completion(const CommandDescription& headgate) {
    std::vector<std::string> of_gateway;
    for (const auto& option : headgate.options)
        if (!option.value.empty()) of_gateway.push_back(option.name);

    std::string script{kZshHead};
    append_functions(script, headgate, "_headgate_", headgate.options);
    std::string tail{kZshTail};
    replace_once(tail, "@anywhere@", fmt::format("{}", fmt::join(of_gateway, "|")));
    replace_once(tail, "@anywhere_with_value@", fmt::format("({})=*", fmt::join(of_gateway, "|")));
    return script + tail;
}

}  // namespace headgate::cli
