// SPDX-License-Identifier: GPL-2.0-or-later
// The command line as data: commands, their arguments, and the values these accept. It is derived from the tree that
// parses, so that its users, such as completion.h, know exactly what headgate accepts.
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

/// Words that fit, with a description of each, which may be empty.
using Candidates = std::map<std::string, std::string>;

/// The values that a shell can offer for an argument. All members empty: none.
struct ValueHint {
    enum class Paths : std::uint8_t { None, Files, Folders };

    std::vector<std::string> choices{};
    Candidates (*candidates)(const GatewayArguments&) = nullptr;  ///< looks up names on this gateway
    Candidates (*parts)(std::string_view written) = nullptr;      ///< completes what was written of the value
    Paths paths = Paths::None;                                    ///< offered if none of the above fits

    friend bool operator==(const ValueHint&, const ValueHint&) = default;
};

struct ArgumentDescription {
    std::string name;                      ///< `--output`, or `ID` for an operand
    std::vector<std::string> other_names;  ///< `-o`
    std::string value;                     ///< the value's placeholder in the help; empty: takes no value
    std::string purpose;
    bool repeats = false;
    ValueHint hint;
};

struct CommandDescription {
    std::string name;
    std::string purpose;
    std::vector<ArgumentDescription> options;  ///< options valid for all commands are in the root command only
    std::optional<ArgumentDescription> operand;
    std::vector<CommandDescription> commands;
};

/// Protocols that have a name.
[[nodiscard]] std::vector<std::string> protocol_names();

/// Leaves out hidden commands.
[[nodiscard]] CommandDescription describe(const CLI::App& command);

/// Describes headgate's own command line.
[[nodiscard]] CommandDescription describe_command_line();

}  // namespace headgate::cli
