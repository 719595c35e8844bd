// SPDX-License-Identifier: GPL-2.0-or-later
// The command line as data: which commands there are, with which arguments, and what those take. It is read from the
// tree that parses, so what is made of it, such as completion.h, knows what headgate understands, and nothing else.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace headgate::cli {

struct GatewayArguments;

/// Words that fit, and what each of them means, as far as there is something to tell.
using Candidates = std::map<std::string, std::string>;

/// What a shell can offer for a value. All of it empty: only its user knows it.
struct ValueHint {
    enum class Paths : std::uint8_t { None, Files, Folders };

    std::vector<std::string> choices{};
    Candidates (*candidates)(const GatewayArguments&) = nullptr;  ///< finds what only this gateway knows
    Paths paths = Paths::None;                                    ///< where neither of the above fits

    friend bool operator==(const ValueHint&, const ValueHint&) = default;
};

struct ArgumentDescription {
    std::string name;   ///< `--output`, or of an operand `ID`
    std::string value;  ///< what follows an option, as people are told; empty: nothing does
    std::string purpose;
    bool repeats = false;
    ValueHint hint;
};

struct CommandDescription {
    std::string name;
    std::string purpose;
    std::vector<ArgumentDescription> options;  ///< those that may stand anywhere are the first command's alone
    std::optional<ArgumentDescription> operand;
    std::vector<CommandDescription> commands;
};

/// Without what is hidden from people.
[[nodiscard]] CommandDescription describe(const CLI::App& command);

/// headgate's own command line.
[[nodiscard]] CommandDescription describe_command_line();

}  // namespace headgate::cli
