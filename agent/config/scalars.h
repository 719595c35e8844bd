// The single values that people write in a configuration: numbers, choices, sizes, paths. Each parser's error tells the
// rule; whoever asks puts the place in front. Thread-safe.
#pragma once

#include <sys/un.h>

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "headgate/result.h"

namespace headgate::config {

[[nodiscard]] Result<std::int64_t> parse_number_within(std::string_view text, std::int64_t lowest,
                                                       std::int64_t highest);

template <std::integral T>
[[nodiscard]] Result<T> parse_number(std::string_view text, T lowest, T highest) {
    return parse_number_within(text, lowest, highest).map([](std::int64_t number) { return static_cast<T>(number); });
}

/// `true` or `false`, and nothing else that YAML has had for them.
[[nodiscard]] Result<bool> parse_boolean(std::string_view text);

/// Bytes: `512MiB`, `2GiB`, `1TiB`; a number alone is bytes.
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);

/// The same grammar back, in the largest unit that tells it exactly.
[[nodiscard]] std::string size_text(std::uint64_t bytes);

/// Not relative: what it would be relative to is not the same for the agent and for a command. Made normal, so that
/// two ways to write one path are equal.
[[nodiscard]] Result<std::filesystem::path> parse_absolute_path(std::string_view text);

/// The longest path that a Unix socket can have, in bytes.
inline constexpr std::size_t kLongestSocketPath = sizeof(sockaddr_un::sun_path) - 1;

[[nodiscard]] Result<std::filesystem::path> parse_socket_path(std::string_view text);

}  // namespace headgate::config
