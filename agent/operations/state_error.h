// SPDX-License-Identifier: GPL-2.0-or-later
// Errors about headgate's own files.
#pragma once

#include <cerrno>
#include <string_view>

#include "headgate/result.h"

namespace headgate::operations {

/// As system_error; for EACCES the message adds which privileges are required.
[[nodiscard]] inline tl::unexpected<Error> state_error(int number, std::string_view what) {
    auto error = system_error(number, what);
    if (number == EACCES) error.value().message += ": use sudo, or start the agent and join group headgate";
    return error;
}

/// Whether the disk cannot be written: full, read-only or failing. Operations that need no storage can still run.
[[nodiscard]] inline bool is_disk_fault(const Error& error) noexcept {
    return error.kind == ErrorKind::DiskFault;
}

}  // namespace headgate::operations
