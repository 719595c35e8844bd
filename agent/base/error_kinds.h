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
    int exit_code;               ///< of the command line: 1 failed, 2 usage, 5 refused
    int http_status;             ///< of REST
    int number;                  ///< the usual errno, for an error that has none of its own; 0: none
    std::string_view name;       ///< in REST's problem documents
    std::string_view aws_error;  ///< type in the AWS protocol
};

inline constexpr ErrorKindFacts kErrorKinds[] = {
    {ErrorKind::Invalid, 2, 400, 0, "invalid", "InvalidRequestException"},
    {ErrorKind::NotFound, 2, 404, ENOENT, "not_found", "ResourceNotFoundException"},
    {ErrorKind::Outdated, 2, 400, ESTALE, "outdated", "InvalidTokenException"},
    {ErrorKind::TooLarge, 2, 413, EMSGSIZE, "too_large", "RequestEntityTooLargeException"},
    {ErrorKind::Unloadable, 1, 422, 0, "unloadable", "InvalidRequestException"},
    {ErrorKind::Refused, 5, 409, 0, "refused", "InvalidRequestException"},
    {ErrorKind::Busy, 5, 409, EBUSY, "busy", "ThrottlingException"},
    {ErrorKind::Forbidden, 5, 403, EACCES, "forbidden", "AccessDeniedException"},
    {ErrorKind::Expired, 5, 409, ESTALE, "expired", "RequestExpired"},
    {ErrorKind::Unavailable, 5, 503, ESHUTDOWN, "unavailable", "ServiceUnavailable"},
    {ErrorKind::Exists, 5, 409, EEXIST, "exists", "InvalidRequestException"},
    {ErrorKind::Failed, 1, 500, 0, "failed", "InternalServerError"},
    {ErrorKind::Missing, 1, 500, ENOENT, "missing", "InternalServerError"},
    {ErrorKind::Unprivileged, 1, 500, EPERM, "unprivileged", "InternalServerError"},
    {ErrorKind::Locked, 1, 500, EBUSY, "locked", "InternalServerError"},
    {ErrorKind::TimedOut, 1, 500, ETIMEDOUT, "timed_out", "InternalServerError"},
    {ErrorKind::Cancelled, 1, 500, ECANCELED, "cancelled", "InternalServerError"},
    {ErrorKind::Disconnected, 1, 500, ECONNRESET, "disconnected", "InternalServerError"},
    {ErrorKind::DiskFault, 1, 500, EIO, "disk_fault", "InternalServerError"},
    {ErrorKind::Damaged, 1, 500, EBADMSG, "damaged", "InternalServerError"},
    {ErrorKind::OutOfMemory, 1, 500, ENOMEM, "out_of_memory", "InternalServerError"},
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
