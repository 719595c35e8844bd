#include "threads/guarded.h"

#include <cerrno>
#include <exception>
#include <new>
#include <system_error>

namespace headgate {
namespace {

/// Short enough to be kept without memory of its own.
Error out_of_memory() noexcept {
    return {ErrorKind::Failed, "out of memory", ENOMEM};
}

}  // namespace

Error error_of_exception() noexcept {
    try {
        try {
            throw;
        } catch (const std::bad_alloc&) {
            return out_of_memory();
        } catch (const std::system_error& thrown) {
            return {ErrorKind::Failed, thrown.what(), thrown.code().value()};
        } catch (const std::exception& thrown) {
            return {ErrorKind::Failed, thrown.what()};
        }
    } catch (...) {
        return out_of_memory();  // for the words that would say more
    }
}

}  // namespace headgate
