// SPDX-License-Identifier: GPL-2.0-or-later
// A value of a row: what it is, so that each output makes its own text of it. A table is for people (`2.5 KiB`, a local
// time), CSV is for programs (bytes, RFC 3339), and rows are sorted by the value itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "headgate/flow.h"

namespace headgate::cli {

struct Bytes {
    std::uint64_t count = 0;
};

struct Signed {
    std::int64_t number = 0;
};

/// Of conntrack; a table shows it in hexadecimal digits, and 0 as no value.
struct Mark {
    std::uint32_t value = 0;
};

/// Of an operation; its short form is the first eight characters, which every command accepts.
struct ShortId {
    std::string id;
};

/// What a dry run would do to so many flows; a table shows `would 7`, CSV no value.
struct Would {
    std::uint64_t count = 0;
};

/// An empty text: there is no value.
using Cell =
    std::variant<std::string, std::uint64_t, Signed, Bytes, Mark, std::chrono::seconds, Timestamp, ShortId, Would>;
using Cells = std::vector<Cell>;

template <typename T>
[[nodiscard]] Cell cell_if(const std::optional<T>& value) {
    return value ? Cell{*value} : Cell{};
}

/// How a table shows values.
struct CellStyle {
    enum class Zone : std::uint8_t { Local, Utc } zone = Zone::Local;
    /// Of ids and times; Short is for people, who know which day and which zone it is.
    enum class Form : std::uint8_t { Short, Whole } form = Form::Short;
    Timestamp now{};  ///< short times of the same day are shown without the date
};

[[nodiscard]] std::string table_text(const Cell& cell, const CellStyle& style);
[[nodiscard]] std::string csv_text(const Cell& cell);

/// `18:10:14`, with the date if it is not today's: `2026-11-28 18:10:14`; in UTC with a Z.
[[nodiscard]] std::string time_text(Timestamp time, const CellStyle& style);

/// With the date and the zone: `2026-11-28 18:10:14 +0100`; in UTC `2026-11-28 17:10:14Z`.
[[nodiscard]] std::string whole_time_text(Timestamp time, const CellStyle& style);

/// The order of values of one column: texts by the numbers in them, so 10.0.0.9 comes before 10.0.0.10. Rows without a
/// value come last, in either direction.
enum class Direction : std::uint8_t { Ascending, Descending };
[[nodiscard]] bool is_before(const Cell& a, const Cell& b, Direction direction);

}  // namespace headgate::cli
