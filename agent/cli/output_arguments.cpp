// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/output_arguments.h"

#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "cli/arguments.h"
#include "cli/terminal.h"

namespace headgate::cli {
namespace {

/// Of numbers, sizes and times the largest, longest and latest matter; texts are looked up. The values of a column
/// whose cells are aligned to the right are numbers.
Direction usual_direction(const Column& column) {
    const bool is_number = column.align == Column::Align::Right || column.title == "TIME" || column.title == "STARTED";
    return is_number ? Direction::Descending : Direction::Ascending;
}

}  // namespace

void OutputArguments::add_to(CLI::App& command) {
    OptionGroup group{command, "OUTPUT"};
    group.add("-o,--output", "FORMAT", output_, output_formats_text());
    group.add_flag("--json", json_, "short for --output json");
    group.add_flag("--utc", utc_, "times of a table in UTC, not in the local time zone");
    if (known_.empty()) return;
    group.add("--columns", "LIST", columns_,
              fmt::format("these columns of a table or CSV alone, in this order: {}", fmt::join(names(), ",")));
    group.add_flag("--no-header", no_header_, "a table or CSV without its first line");
    group.add("--sort", "KEY", sort_,
              "in the order of this column, numbers and times from the largest on; KEY:asc and KEY:desc say which");
    group.add_flag("--count", count_, "the number of rows alone");
}

Result<OutputChoice> OutputArguments::choice() const {
    ASSIGN_OR_RETURN(const auto format, this->format());
    OutputChoice choice{format};
    choice.columns = known_;
    ASSIGN_OR_RETURN(auto chosen, this->chosen());
    choice.chosen = std::move(chosen);
    ASSIGN_OR_RETURN(const auto order, this->order());
    choice.order = order;
    if (count_) choice.show = OutputChoice::Show::Count;
    auto& layout = choice.layout;
    const bool is_whole = format.columns == OutputFormat::Columns::All;
    if (!is_whole && choice.chosen.empty()) layout.width = stdout_width();
    if (stdout_has_colour()) layout.colour = TableLayout::Colour::Yes;
    if (no_header_) layout.header = TableLayout::Header::No;
    if (!choice.chosen.empty()) layout.empty = TableLayout::Empty::Show;
    if (utc_) layout.style.zone = CellStyle::Zone::Utc;
    // Short forms are for people: another id may begin alike, and a program may read the time tomorrow, or elsewhere.
    const bool is_for_program = ::isatty(STDOUT_FILENO) == 0 && (no_header_ || !choice.chosen.empty());
    if (is_whole || is_for_program) layout.style.form = CellStyle::Form::Whole;
    layout.style.now = std::chrono::system_clock::now();
    return choice;
}

Result<OutputFormat> OutputArguments::format() const {
    if (json_ && output_ && *output_ != "json") return invalid("--json: --output {} says otherwise", *output_);
    const bool wants_table = columns_ || no_header_ || count_ || ::isatty(STDOUT_FILENO) != 0;
    auto format = parse_output_format(output_.value_or(wants_table && !json_ ? "table" : "json"));
    if (!format) return tl::unexpected(std::move(format.error()).within("--output"));
    if (known_.empty() && format->documents == OutputFormat::Documents::No) {
        return invalid("--output: {} is for lists; this command has none", format->name);
    }
    for (const auto& [option, is_given] : {std::pair{"--columns", columns_.has_value()}, {"--no-header", no_header_}}) {
        if (!is_given || format->has_columns()) continue;
        return invalid("{}: for a table or CSV; {} has keys, all of them", option, format->name);
    }
    return format;
}

Result<std::vector<std::size_t>> OutputArguments::chosen() const {
    std::vector<std::size_t> chosen;
    if (!columns_) return chosen;
    std::string_view rest = *columns_;
    do {
        ASSIGN_OR_RETURN(const auto column, find_column("--columns", take_until(rest, ',')));
        chosen.push_back(column);
    } while (!rest.empty());
    return chosen;
}

Result<std::optional<RowOrder>> OutputArguments::order() const {
    if (!sort_) return std::nullopt;
    std::string_view direction = *sort_;
    const auto key = take_until(direction, ':');
    ASSIGN_OR_RETURN(const auto column, find_column("--sort", key));
    if (direction.empty() && sort_->find(':') == std::string::npos)
        return RowOrder{column, usual_direction(known_[column])};
    if (direction == "asc") return RowOrder{column, Direction::Ascending};
    if (direction == "desc") return RowOrder{column, Direction::Descending};
    return invalid("--sort: \"{}\" is neither asc nor desc", direction);
}

/// Columns have the names that they have in a table, in any case, with `_`, `-` or a space.
Result<std::size_t> OutputArguments::find_column(std::string_view option, std::string_view name) const {
    std::string wanted{name};
    std::ranges::replace_if(
        wanted, [](char c) { return c == '-' || c == ' '; }, '_');
    const auto found =
        std::ranges::find_if(known_, [&](const Column& each) { return equal_ignoring_case(each.name(), wanted); });
    if (found != known_.end()) return static_cast<std::size_t>(found - known_.begin());
    return invalid("{}: \"{}\" is none of {}{}", option, name, fmt::join(names(), ", "), did_you_mean(wanted, names()));
}

std::vector<std::string> OutputArguments::names() const {
    std::vector<std::string> names;
    for (const auto& column : known_)
        names.push_back(column.name());
    return names;
}

}  // namespace headgate::cli
