// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

#include "headgate/names.h"

namespace headgate {
namespace {

constexpr std::size_t kLongestWord = 64;

/// The optimal string alignment distance: the number of single letters that differ, where two letters in the wrong
/// order count as one.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_last(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::vector<std::size_t> row(b.size() + 1, i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t changed = last[j - 1] + (to_lower(a[i - 1]) == to_lower(b[j - 1]) ? 0 : 1);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, changed});
            const bool is_exchanged =
                i > 1 && j > 1 && to_lower(a[i - 1]) == to_lower(b[j - 2]) && to_lower(a[i - 2]) == to_lower(b[j - 1]);
            if (is_exchanged) row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
        before_last = std::move(last);
        last = std::move(row);
    }
    return last.back();
}

/// `none of a, b and c`, `neither a nor b`.
std::string none_of(std::span<const std::string_view> names) {
    if (names.size() == 2) return fmt::format("neither {} nor {}", names[0], names[1]);
    return fmt::format("none of {} and {}", fmt::join(names.first(names.size() - 1), ", "), names.back());
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> words) {
    std::string_view best;
    if (word.size() > kLongestWord) return best;
    // At most a third of the letters differ, and never all.
    auto least = std::min(std::max<std::size_t>(word.size() / 3, 1) + 1, word.size());
    for (const auto each : words) {
        const bool is_begun = word.size() >= 3 && equal_ignoring_case(each.substr(0, word.size()), word);
        const auto found = is_begun ? 1 : distance(word, each);
        if (found >= least) continue;
        least = found;
        best = each;
    }
    return best;
}

}  // namespace

std::string did_you_mean(std::string_view word, std::span<const std::string_view> words) {
    const auto best = nearest(word, words);
    return best.empty() ? std::string{} : fmt::format("; did you mean \"{}\"?", best);
}

std::string compound_key(std::initializer_list<std::string_view> parts) {
    std::string key;
    for (const auto& part : parts) {
        if (&part != parts.begin()) key.push_back(':');
        for (const char c : part)
            key.append(c == ':' ? "%3A" : c == '%' ? "%25" : std::string_view{&c, 1});
    }
    return key;
}

Result<std::size_t> find_name(std::span<const std::string_view> names, std::string_view text, LetterCase letter_case) {
    const auto found = std::ranges::find_if(names, [&](std::string_view name) {
        return letter_case == LetterCase::Exact ? name == text : equal_ignoring_case(name, text);
    });
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
    return invalid("\"{}\" is {}{}", text, none_of(names), did_you_mean(text, names));
}

std::string rounded_duration(std::chrono::seconds duration) {
    const auto seconds = duration.count();
    constexpr long kMinute = 60;
    constexpr long kHour = 60 * kMinute;
    constexpr long kDay = 24 * kHour;
    if (seconds < kMinute) return fmt::format("{}s", seconds);
    if (seconds < kHour) return fmt::format("{}m{:02}s", seconds / kMinute, seconds % kMinute);
    if (seconds < kDay) return fmt::format("{}h{:02}m", seconds / kHour, seconds % kHour / kMinute);
    return fmt::format("{}d{:02}h", seconds / kDay, seconds % kDay / kHour);
}

}  // namespace headgate
