// Errors about files that are headgate's own.
#pragma once

#include <cerrno>
#include <string_view>

#include "headgate/result.h"

namespace headgate::operations {

/// As system_error, with who may where that is what is wrong.
[[nodiscard]] inline tl::unexpected<Error> state_error(int number, std::string_view what) {
    auto error = system_error(number, what);
    if (number == EACCES) error.value().message += ": this takes root (CAP_NET_ADMIN), or a running agent";
    return error;
}

/// Whether it is the disk that takes nothing: full, read-only or failing. Nobody's mistake, and what keeps nothing can
/// be done all the same.
[[nodiscard]] constexpr bool is_disk_fault(int number) noexcept {
    return number == ENOSPC || number == EDQUOT || number == EROFS || number == EIO;
}
[[nodiscard]] inline bool is_disk_fault(const Error& error) noexcept {
    return is_disk_fault(error.number);
}

}  // namespace headgate::operations
