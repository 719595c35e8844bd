// SPDX-License-Identifier: GPL-2.0-or-later
// OUTPUT: the format, and of lists the columns, the order and the count. A list's command names its columns here, so
// that a wrong name is an error before anything is done.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "headgate/result.h"

#include "cli/writer.h"

namespace CLI {
class App;
}

namespace headgate::cli {

class OutputArguments {
  public:
    /// Without columns: for a command that writes one document.
    explicit OutputArguments(std::vector<Column> columns = {}) : known_(std::move(columns)) {}

    void add_to(CLI::App& command);

    /// By default a table on a terminal, and JSON elsewhere. What only a table has, such as --columns, asks for one.
    [[nodiscard]] Result<OutputChoice> choice() const;

    /// Whether nothing can be shown before the last row is there.
    [[nodiscard]] bool waits_for_all() const { return sort_ || count_; }

  private:
    [[nodiscard]] Result<OutputFormat> format() const;
    [[nodiscard]] Result<std::vector<std::size_t>> chosen() const;
    [[nodiscard]] Result<std::optional<RowOrder>> order() const;
    [[nodiscard]] Result<std::size_t> find_column(std::string_view option, std::string_view name) const;
    [[nodiscard]] std::vector<std::string> names() const;

    std::vector<Column> known_;
    std::optional<std::string> output_, columns_, sort_;
    bool json_ = false;
    bool no_header_ = false;
    bool count_ = false;
    bool utc_ = false;
};

}  // namespace headgate::cli
