// SPDX-License-Identifier: GPL-2.0-or-later
// The only way to start a thread; tests/lint forbids the others.
#pragma once

#include <stop_token>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>

#include "headgate/result.h"

#include "threads/guarded.h"

namespace headgate {

/// Runs `work()` or `work(stop_token)` on a new thread. An exception is passed to `on_fault(error)` on that thread,
/// which then ends; exceptions of on_fault are discarded. An error with EAGAIN or ENOMEM: no thread could be started.
template <typename Work, typename OnFault>
[[nodiscard]] Result<std::jthread> start_thread(std::string_view purpose, Work work, OnFault on_fault) noexcept {
    auto started = guarded([&]() -> Result<std::jthread> {
        return std::jthread{
            [work = std::move(work), on_fault = std::move(on_fault)](const std::stop_token& stop) mutable {
                auto done = guarded([&] {
                    if constexpr (std::is_invocable_v<Work, const std::stop_token&>) {
                        work(stop);
                    } else {
                        work();
                    }
                });
                if (done) return;
                static_cast<void>(guarded([&] { on_fault(done.error()); }));
            }};
    });
    if (started) return started;
    const int number = started.error().number;
    return guarded(
        [&]() -> Result<std::jthread> { return system_error(number, fmt::format("a thread for {}", purpose)); });
}

}  // namespace headgate
