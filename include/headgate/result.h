// How everything in headgate reports what can fail: a value or an Error, never an exception across a function's edge.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace headgate {

/// What the caller can do about an error; the faces map it to an exit code or an HTTP status.
enum class ErrorKind : std::uint8_t {
    Invalid,  ///< the request breaks a rule; nothing was tried
    Failed,   ///< it was tried and could not be done
    Refused,  ///< a guard said no before anything was changed
};

struct Error {
    ErrorKind kind = ErrorKind::Failed;
    std::string message;  ///< one line: what was wrong, where, and what to do
    int number = 0;       ///< the errno behind it, 0 where there is none

    /// The same error with where it happened put in front: `source: 10.0.0.0/33 ...`.
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

/// A system call that failed: `what: No such file or directory`, with the errno kept.
[[nodiscard]] tl::unexpected<Error> system_error(int number, std::string_view what);

}  // namespace headgate
