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

/// Returns the Result of `call()`, or its exception as an error. A call that returns nothing succeeds.
template <typename Call>
[[nodiscard]] auto guarded(Call&& call) noexcept {
    using Returned = std::invoke_result_t<Call>;
    constexpr bool kReturnsNothing = std::is_void_v<Returned>;
    using Guarded = std::conditional_t<kReturnsNothing, Result<void>, Returned>;
    try {
        if constexpr (kReturnsNothing) {
            std::forward<Call>(call)();
            return Guarded{};
        } else {
            return Guarded(std::forward<Call>(call)());
        }
    } catch (...) {
        return Guarded{tl::unexpected(error_of_exception())};
    }
}

}  // namespace headgate
