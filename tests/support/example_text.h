// SPDX-License-Identifier: GPL-2.0-or-later
// Checked-in example texts, unchanged and with their settings uncommented.
#pragma once

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace headgate::testing {

/// The content of a file of the project.
inline std::string text_of(const std::string& file) {
    std::ifstream text{fmt::format("{}/{}", PROJECT_FOLDER, file), std::ios::binary};
    return {std::istreambuf_iterator<char>{text}, {}};
}

/// Uncomments settings as an operator does: removes each `#` that is not followed by a space and a word.
inline std::string uncommented(const std::string& example) {
    std::string text;
    std::istringstream lines{example};
    for (std::string line; std::getline(lines, line);) {
        const bool prose = line.size() > 2 && line[1] == ' ' && line[2] != ' ';
        text += (line.starts_with('#') && !prose ? line.substr(1) : line) + "\n";
    }
    return text;
}

}  // namespace headgate::testing
