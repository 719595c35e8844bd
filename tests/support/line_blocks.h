// SPDX-License-Identifier: GPL-2.0-or-later
// Creates blocks of lines for flow log sinks, and reads the sinks' output.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "flowlog/line_block.h"

namespace headgate::testing {

using flowlog::LineBlock;

inline std::shared_ptr<const LineBlock> block_of(const std::vector<std::string>& lines) {
    auto block = std::make_shared<LineBlock>();
    for (const auto& line : lines) {
        block->text().append(line);
        block->end_line();
    }
    return block;
}

/// `{"n":7,"pad":"xxx..."}`, about `size` bytes long.
inline std::string numbered_record(std::size_t number, std::size_t size = 700) {
    const auto begin = fmt::format(R"({{"n":{},"pad":")", number);
    return begin + std::string(size > begin.size() ? size - begin.size() : 0, 'x') + "\"}";
}

inline std::shared_ptr<const LineBlock> numbered_block(std::size_t first, std::size_t count, std::size_t size = 700) {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < count; ++i)
        lines.push_back(numbered_record(first + i, size));
    return block_of(lines);
}

/// Splits text into lines; a last line without a newline is marked as torn.
inline std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const auto end = text.find('\n');
        lines.emplace_back(end == std::string_view::npos ? fmt::format("torn: {}", text)
                                                         : std::string{text.substr(0, end)});
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
    return lines;
}

inline std::string text_of_file(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

inline std::vector<std::string> lines_of_file(const std::string& path) {
    return lines_of(text_of_file(path));
}

/// The lines of a block, as a reader must find them.
inline std::vector<std::string> lines_of(const LineBlock& block) {
    return lines_of(block.from(0));
}

}  // namespace headgate::testing
