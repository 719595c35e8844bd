// SPDX-License-Identifier: GPL-2.0-or-later
#include "threads/guarded.h"

#include <cerrno>
#include <exception>
#include <new>
#include <system_error>

namespace headgate {
namespace {

/// Short enough for the small-string buffer, so it does not allocate.
Error out_of_memory() noexcept {
    return {ErrorKind::OutOfMemory, "out of memory", ENOMEM};
}

}  // namespace

Error error_of_exception() noexcept {
    try {
        try {
            throw;
        } catch (const std::bad_alloc&) {
            return out_of_memory();
        } catch (const std::system_error& thrown) {
            return {kind_of_errno(thrown.code().value()), thrown.what(), thrown.code().value()};
        } catch (const std::exception& thrown) {
            return {ErrorKind::Failed, thrown.what()};
        }
    } catch (...) {
        return out_of_memory();  // no memory for the error's text
    }
}

}  // namespace headgate
