// SPDX-License-Identifier: GPL-2.0-or-later
// Help for a terminal: descriptions go on in their own column, where the parser would leave that to the terminal.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace headgate::cli {

class HelpFormatter final : public CLI::Formatter {
  public:
    /// Without a width, each description is one line.
    explicit HelpFormatter(std::optional<std::size_t> width) : width_(width) {}

    std::string make_description(const CLI::App* command) const override;
    std::string make_option_desc(const CLI::Option* option) const override;
    std::string make_subcommand(const CLI::App* command) const override;

  private:
    /// For text that begins in this column.
    [[nodiscard]] std::string in_lines(std::string_view description, std::size_t column) const;

    std::optional<std::size_t> width_;
};

}  // namespace headgate::cli
