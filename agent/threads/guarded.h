// Where exceptions become errors.
#pragma once

#include <type_traits>
#include <utility>

#include "headgate/result.h"

namespace headgate {

/// What the exception says that is being handled: to be called in a catch clause. Takes no memory where there is none:
/// then it is "out of memory", with ENOMEM.
[[nodiscard]] Error error_of_exception() noexcept;

/// What `call()` returns, which is a Result. What it throws is the error.
template <typename Call>
[[nodiscard]] auto guarded(Call&& call) noexcept -> std::invoke_result_t<Call> {
    try {
        return std::forward<Call>(call)();
    } catch (...) {
        return tl::unexpected(error_of_exception());
    }
}

}  // namespace headgate
