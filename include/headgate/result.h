// SPDX-License-Identifier: GPL-2.0-or-later
// Error reporting: a function that can fail returns a value or an Error, and lets no exception escape.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <tl/expected.hpp>

namespace headgate {

/// What the caller can do about an error; the CLI and HTTP map it to an exit code or a status.
enum class ErrorKind : std::uint8_t {
    Invalid,  ///< the request breaks a rule; nothing was attempted
    Failed,   ///< attempted, but it could not be done
    Refused,  ///< a guard refused it before anything was changed
};

struct Error {
    ErrorKind kind = ErrorKind::Failed;
    std::string message;  ///< one line: what was wrong, where, and what to do
    int number = 0;       ///< errno, or 0 if there is none

    /// Prefixes the message with its location: `source: 10.0.0.0/33 ...`.
    [[nodiscard]] Error within(std::string_view where) && {
        message.insert(0, ": ").insert(0, where);
        return std::move(*this);
    }
};

template <typename T>
using Result = tl::expected<T, Error>;

template <typename... Args>
[[nodiscard]] tl::unexpected<Error> invalid(fmt::format_string<Args...> format, Args&&... args) {
    return tl::unexpected(Error{ErrorKind::Invalid, fmt::format(format, std::forward<Args>(args)...)});
}

template <typename... Args>
[[nodiscard]] tl::unexpected<Error> failed(fmt::format_string<Args...> format, Args&&... args) {
    return tl::unexpected(Error{ErrorKind::Failed, fmt::format(format, std::forward<Args>(args)...)});
}

template <typename... Args>
[[nodiscard]] tl::unexpected<Error> refused(fmt::format_string<Args...> format, Args&&... args) {
    return tl::unexpected(Error{ErrorKind::Refused, fmt::format(format, std::forward<Args>(args)...)});
}

/// Error of a failed system call: `what: No such file or directory`, with the errno kept.
[[nodiscard]] tl::unexpected<Error> system_error(int number, std::string_view what);

/// Whether a value can be dropped: it owns nothing, neither a lock nor a file.
template <typename T>
inline constexpr bool kOwnsNothing = std::is_void_v<T> || std::is_trivially_destructible_v<T>;

}  // namespace headgate

/// Returns the error of an expression (a `Result`) from the function around. A value is dropped, so it must own
/// nothing: what is held until the end of the function is declared by ASSIGN_OR_RETURN.
#define RETURN_IF_ERROR(...) HEADGATE_RETURN_IF_ERROR(HEADGATE_JOIN(result_, __COUNTER__), __VA_ARGS__)

/// Declares a variable with the value of an expression, or returns the expression's error from the function around:
/// `ASSIGN_OR_RETURN(const auto port, parse_port(text));`. Declared as `const auto&`, it refers to the value in the
/// result, which is kept until the end of the block. It is more than one statement: it cannot stand behind an `if`
/// without braces.
#define ASSIGN_OR_RETURN(declaration, ...) \
    HEADGATE_ASSIGN_OR_RETURN(HEADGATE_JOIN(result_, __COUNTER__), declaration, __VA_ARGS__)

// What the two expand to. __COUNTER__ gives each result a name of its own, so that expressions can contain further
// ones.
#define HEADGATE_RETURN_IF_ERROR(result, ...)                                           \
    do {                                                                                \
        auto result = __VA_ARGS__;                                                      \
        static_assert(::headgate::kOwnsNothing<typename decltype(result)::value_type>); \
        if (!result) return tl::unexpected(std::move(result.error()));                  \
    } while (false)
#define HEADGATE_ASSIGN_OR_RETURN(result, declaration, ...)        \
    auto result = __VA_ARGS__;                                     \
    if (!result) return tl::unexpected(std::move(result.error())); \
    declaration = *std::move(result) /* NOLINT(bugprone-macro-parentheses): no declaration stands in parentheses */
#define HEADGATE_JOIN(left, right) HEADGATE_JOIN_EXPANDED(left, right)
#define HEADGATE_JOIN_EXPANDED(left, right) left##right
