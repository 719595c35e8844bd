// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/help_formatter.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace headgate::cli {
namespace {

constexpr std::size_t kNarrowest = 30;  ///< below that, the terminal may wrap the lines

}  // namespace

std::string HelpFormatter::make_description(const CLI::App* command) const {
    return in_lines(CLI::Formatter::make_description(command), 0);
}

std::string HelpFormatter::make_option_desc(const CLI::Option* option) const {
    return in_lines(CLI::Formatter::make_option_desc(option), get_column_width());
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
    auto text = fmt::format("  {:<{}}", command->get_name(), get_column_width() - 2);
    for (const char c : in_lines(command->get_description(), get_column_width())) {
        text.push_back(c);
        if (c == '\n') text.append(get_column_width(), ' ');
    }
    return text + "\n";
}

/// Breaks lines behind spaces, and within long lists behind commas.
std::string HelpFormatter::in_lines(std::string_view description, std::size_t column) const {
    if (!width_) return std::string{description};
    const auto room = std::max(*width_ - std::min(*width_, column), kNarrowest);
    std::string lines;
    while (description.size() > room) {
        const auto front = description.substr(0, room);
        const auto end = std::min(front.find_last_of(" ,"), room - 1) + 1;
        lines.append(trimmed(front.substr(0, end))).push_back('\n');
        description = trimmed(description.substr(end));
    }
    return lines.append(description);
}

}  // namespace headgate::cli
