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

/// What is wrong, as far as a caller decides by it. base/error_kinds.h has the name, exit code, HTTP status and AWS
/// error of each.
enum class ErrorKind : std::uint8_t {
    // The request is wrong; nothing was attempted.
    Invalid,     ///< it breaks a rule
    NotFound,    ///< it names something that does not exist, or that the caller may not see
    Outdated,    ///< it refers to a version of something that has changed since
    TooLarge,    ///< it, or a part of it, is longer than permitted
    Unloadable,  ///< a candidate for the ruleset does not load
    // Refused before anything was changed.
    Refused,      ///< by a guard
    Busy,         ///< other work is in progress: ask again later
    Forbidden,    ///< the caller lacks the permission
    Expired,      ///< signed so early that it may be a replay
    Unavailable,  ///< the agent is stopping
    Exists,       ///< an operation with the same id or token was begun before
    // Attempted, but it could not be done.
    Failed,
    Missing,       ///< a file, network namespace or set that the work needs does not exist
    Unprivileged,  ///< this process lacks a capability
    Locked,        ///< another process holds a lock
    TimedOut,
    Cancelled,
    Disconnected,  ///< the peer does not listen, or has closed the connection
    DiskFault,     ///< the disk is full, read-only or failing
    Damaged,       ///< stored data cannot be decoded
    OutOfMemory,
};

struct Error {
    ErrorKind kind = ErrorKind::Failed;
    std::string message;  ///< one line: what was wrong, where, and what to do
    int number = 0;       ///< errno of a failed system call, for its caller and the operator; 0: none

    /// Prefixes the message with its location: `source: 10.0.0.0/33 ...`.
    [[nodiscard]] Error within(std::string_view where) && {
        message.insert(0, ": ").insert(0, where);
        return std::move(*this);
    }
};

template <typename T>
using Result = tl::expected<T, Error>;

template <typename... Args>
[[nodiscard]] tl::unexpected<Error> make_error(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
    return tl::unexpected(Error{kind, fmt::format(format, std::forward<Args>(args)...)});
}

template <typename... Args>
[[nodiscard]] tl::unexpected<Error> invalid(fmt::format_string<Args...> format, Args&&... args) {
    return make_error(ErrorKind::Invalid, format, std::forward<Args>(args)...);
}

template <typename... Args>
[[nodiscard]] tl::unexpected<Error> not_found(fmt::format_string<Args...> format, Args&&... args) {
    return make_error(ErrorKind::NotFound, format, std::forward<Args>(args)...);
}

template <typename... Args>
[[nodiscard]] tl::unexpected<Error> failed(fmt::format_string<Args...> format, Args&&... args) {
    return make_error(ErrorKind::Failed, format, std::forward<Args>(args)...);
}

template <typename... Args>
[[nodiscard]] tl::unexpected<Error> refused(fmt::format_string<Args...> format, Args&&... args) {
    return make_error(ErrorKind::Refused, format, std::forward<Args>(args)...);
}

template <typename... Args>
[[nodiscard]] tl::unexpected<Error> busy(fmt::format_string<Args...> format, Args&&... args) {
    return make_error(ErrorKind::Busy, format, std::forward<Args>(args)...);
}

template <typename... Args>
[[nodiscard]] tl::unexpected<Error> forbidden(fmt::format_string<Args...> format, Args&&... args) {
    return make_error(ErrorKind::Forbidden, format, std::forward<Args>(args)...);
}

/// The kind of error that an errno stands for; Failed if callers need not tell it from others.
[[nodiscard]] ErrorKind kind_of_errno(int number) noexcept;

/// Error of a failed system call: `what: No such file or directory`, with the errno kept.
[[nodiscard]] tl::unexpected<Error> system_error(int number, std::string_view what);
[[nodiscard]] tl::unexpected<Error> system_error(int number);

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
