// Error reporting: a function that can fail returns a value or an Error, and lets no exception escape.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <string_view>
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

}  // namespace headgate
