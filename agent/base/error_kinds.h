// SPDX-License-Identifier: GPL-2.0-or-later
// How each interface presents each kind of error.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <functional>
#include <iterator>
#include <string_view>

#include "headgate/result.h"

namespace headgate {

struct ErrorKindFacts {
    ErrorKind kind;
    std::string_view name;       ///< in REST's problem documents
    int exit_code;               ///< of the command line: 1 failed, 2 usage, 5 refused
    int http_status;             ///< of REST
    std::string_view aws_error;  ///< type in the AWS protocol
    int number;                  ///< the usual errno, for an error that has none of its own; 0: none
};

inline constexpr ErrorKindFacts kErrorKinds[] = {
    {ErrorKind::Invalid, "invalid", 2, 400, "InvalidRequestException", 0},
    {ErrorKind::NotFound, "not_found", 2, 404, "ResourceNotFoundException", ENOENT},
    {ErrorKind::Outdated, "outdated", 2, 400, "InvalidTokenException", ESTALE},
    {ErrorKind::TooLarge, "too_large", 2, 413, "RequestEntityTooLargeException", EMSGSIZE},
    {ErrorKind::Refused, "refused", 5, 409, "InvalidRequestException", 0},
    {ErrorKind::Busy, "busy", 5, 409, "ThrottlingException", EBUSY},
    {ErrorKind::Forbidden, "forbidden", 5, 403, "AccessDeniedException", EACCES},
    {ErrorKind::Expired, "expired", 5, 409, "RequestExpired", ESTALE},
    {ErrorKind::Unavailable, "unavailable", 5, 503, "ServiceUnavailable", ESHUTDOWN},
    {ErrorKind::Exists, "exists", 5, 409, "InvalidRequestException", EEXIST},
    {ErrorKind::Failed, "failed", 1, 500, "InternalServerError", 0},
    {ErrorKind::Missing, "missing", 1, 500, "InternalServerError", ENOENT},
    {ErrorKind::Unprivileged, "unprivileged", 1, 500, "InternalServerError", EPERM},
    {ErrorKind::Locked, "locked", 1, 500, "InternalServerError", EBUSY},
    {ErrorKind::TimedOut, "timed_out", 1, 500, "InternalServerError", ETIMEDOUT},
    {ErrorKind::Cancelled, "cancelled", 1, 500, "InternalServerError", ECANCELED},
    {ErrorKind::Disconnected, "disconnected", 1, 500, "InternalServerError", ECONNRESET},
    {ErrorKind::DiskFault, "disk_fault", 1, 500, "InternalServerError", EIO},
    {ErrorKind::Damaged, "damaged", 1, 500, "InternalServerError", EBADMSG},
    {ErrorKind::OutOfMemory, "out_of_memory", 1, 500, "InternalServerError", ENOMEM},
};
static_assert(kErrorKinds[std::size(kErrorKinds) - 1].kind == ErrorKind{std::size(kErrorKinds) - 1} &&
              std::ranges::adjacent_find(kErrorKinds, std::ranges::greater_equal{}, &ErrorKindFacts::kind) ==
                  std::end(kErrorKinds));

[[nodiscard]] constexpr const ErrorKindFacts& facts_of(ErrorKind kind) {
    return kErrorKinds[static_cast<std::size_t>(kind)];
}

/// The errno of its failed system call, or else the usual one of its kind; 0: none.
[[nodiscard]] constexpr int errno_of(const Error& error) {
    return error.number != 0 ? error.number : facts_of(error.kind).number;
}

/// For the outcome of a flow, which has one in any case.
[[nodiscard]] constexpr int errno_of_failure(const Error& error) {
    const int number = errno_of(error);
    return number != 0 ? number : EIO;
}

/// Whether it was refused before anything was changed, by whatever guard.
[[nodiscard]] constexpr bool is_refusal(const Error& error) {
    return facts_of(error.kind).exit_code == facts_of(ErrorKind::Refused).exit_code;
}

}  // namespace headgate
