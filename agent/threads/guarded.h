// SPDX-License-Identifier: GPL-2.0-or-later
// Converts exceptions to errors.
#pragma once

#include <type_traits>
#include <utility>

#include "headgate/result.h"

namespace headgate {

/// The error of the current exception; call it in a catch clause. Does not fail without memory: then it returns "out of
/// memory" with ENOMEM.
[[nodiscard]] Error error_of_exception() noexcept;

/// Returns the Result of `call()`, or its exception as an error.
template <typename Call>
[[nodiscard]] auto guarded(Call&& call) noexcept -> std::invoke_result_t<Call> {
    try {
        return std::forward<Call>(call)();
    } catch (...) {
        return tl::unexpected(error_of_exception());
    }
}

}  // namespace headgate
