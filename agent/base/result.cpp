// SPDX-License-Identifier: GPL-2.0-or-later
#include "headgate/result.h"

#include <cerrno>
#include <system_error>

namespace headgate {

ErrorKind kind_of_errno(int number) noexcept {
    switch (number) {
        case ENOENT:
            return ErrorKind::Missing;
        case EPERM:
            return ErrorKind::Unprivileged;
        case EBUSY:
            return ErrorKind::Locked;
        case ETIMEDOUT:
            return ErrorKind::TimedOut;
        case ECANCELED:
            return ErrorKind::Cancelled;
        case ECONNREFUSED:
        case ECONNRESET:
        case EPIPE:
            return ErrorKind::Disconnected;
        case ENOSPC:
        case EDQUOT:
        case EROFS:
        case EIO:
            return ErrorKind::DiskFault;
        case EBADMSG:
            return ErrorKind::Damaged;
        case ENOMEM:
            return ErrorKind::OutOfMemory;
        default:
            return ErrorKind::Failed;
    }
}

tl::unexpected<Error> system_error(int number) {
    return tl::unexpected(Error{kind_of_errno(number), std::generic_category().message(number), number});
}

tl::unexpected<Error> system_error(int number, std::string_view what) {
    return tl::unexpected(system_error(number).value().within(what));
}

}  // namespace headgate
