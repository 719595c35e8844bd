// SPDX-License-Identifier: GPL-2.0-or-later
// Says in plain words what keeps a text from being YAML: the parser's own messages are about its grammar.
#pragma once

#include <string>
#include <string_view>

namespace headgate::config {

inline constexpr std::string_view kNoReferences = "anchors and aliases are not understood here; write the value out";
inline constexpr std::string_view kNoTags = "tags are not understood here; write the value alone";

struct YamlFault {
    int line = 1;  ///< starts at 1
    std::string text;
};

/// What the parser reports.
struct ParserComplaint {
    std::string_view message;
    int line = 1;       ///< starts at 1
    int column = 0;     ///< starts at 0
    int open_line = 0;  ///< of the innermost list or map that has begun and not ended; 0: none
};

/// Never quotes the text, which may have secrets.
[[nodiscard]] YamlFault describe_fault(const ParserComplaint& complaint, std::string_view text);

}  // namespace headgate::config
