// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/scalars.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "headgate/stream_exception_policy.h"

#include "base/printable.h"
#include "base/text.h"

namespace headgate {
namespace {

struct SizeUnit {
    std::string_view name;
    unsigned shift;
};

constexpr std::array kSizeUnits = {SizeUnit{"TiB", 40}, SizeUnit{"GiB", 30}, SizeUnit{"MiB", 20}, SizeUnit{"KiB", 10},
                                   SizeUnit{"", 0}};
constexpr std::size_t kLongestPath = 4095;  // PATH_MAX (linux/limits.h) without the terminating null byte

constexpr bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace

Result<std::int64_t> parse_number_within(std::string_view text, std::int64_t lowest, std::int64_t highest) {
    const auto digits = text.substr(text.starts_with('-') ? 1 : 0);
    if (!has_only_digits(digits)) return invalid("\"{}\" is not a whole number", text);
    std::int64_t number{};
    const auto status = std::from_chars(text.data(), text.data() + text.size(), number).ec;
    if (status != std::errc{} || number < lowest || number > highest) {
        return invalid("{} is not within {}..{}", text, lowest, highest);
    }
    return number;
}

Result<bool> parse_boolean(std::string_view text) {
    if (text == "true") return true;
    if (text == "false") return false;
    return invalid("\"{}\" is neither true nor false", text);
}

Result<std::uint64_t> parse_size(std::string_view text) {
    const auto unit = std::ranges::find_if(kSizeUnits, [&](const auto& each) { return text.ends_with(each.name); });
    const auto digits = text.substr(0, text.size() - unit->name.size());
    if (!has_only_digits(digits)) return invalid("\"{}\" is not a size such as 512MiB or 2GiB", text);
    const auto count = parse_unsigned<std::uint64_t>(digits);
    if (!count || *count > std::numeric_limits<std::uint64_t>::max() >> unit->shift) {
        return invalid("{} is larger than a size can be", text);
    }
    return *count << unit->shift;
}

std::string size_text(std::uint64_t bytes) {
    const auto unit = std::ranges::find_if(kSizeUnits, [&](const SizeUnit& each) {
        return bytes >> each.shift != 0 && (bytes >> each.shift) << each.shift == bytes;
    });
    return unit == kSizeUnits.end() ? "0" : fmt::format("{}{}", bytes >> unit->shift, unit->name);
}

Result<std::filesystem::path> parse_absolute_path(std::string_view text) {
    if (find_unprintable(text)) return invalid("a path with characters that can not be shown");
    if (!text.starts_with('/')) return invalid("\"{}\" is not an absolute path", text);
    if (text.size() > kLongestPath) return invalid("a path has {} bytes at most, not {}", kLongestPath, text.size());
    return std::filesystem::path{text}.lexically_normal();
}

Result<std::filesystem::path> parse_socket_path(std::string_view text) {
    auto path = parse_absolute_path(text);
    if (path && path->native().size() > kLongestSocketPath) {
        return invalid("the path of a socket has {} bytes at most, not {}", kLongestSocketPath, path->native().size());
    }
    return path;
}

Result<std::string> parse_resource_name(std::string_view text) {
    if (text.empty() || text.size() > kLongestName) {
        return invalid("a name has 1 to {} characters, not {}", kLongestName, text.size());
    }
    if (!std::ranges::all_of(text, fits_name))
        return invalid("\"{}\" is not made of letters, digits and - alone", text);
    return std::string{text};
}

Result<std::string> parse_policy_name(std::string_view text) {
    constexpr auto kLongest = StreamExceptionPolicy::kLongestName;
    const auto fits = [](char c) { return fits_name(c) || c == '_'; };
    if (!text.empty() && text.size() <= kLongest && is_letter(text.front()) && std::ranges::all_of(text, fits)) {
        return std::string{text};
    }
    return invalid("{}",
                   to_one_line(fmt::format(
                       "\"{}\" can't be a policy's name: letters, digits, - and _, beginning with a letter, {} at most",
                       text, kLongest)));
}

}  // namespace headgate
