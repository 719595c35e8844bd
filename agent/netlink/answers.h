// SPDX-License-Identifier: GPL-2.0-or-later
// The answers to requests that were sent at once.
#pragma once

#include <cerrno>
#include <cstddef>
#include <span>

#include "netlink/messages.h"
#include "netlink/socket.h"

namespace headgate::netlink {

/// Receives the queued answers and passes each message to `take`. Returns whether none was lost.
template <typename Take>
[[nodiscard]] bool take_answers(Socket& socket, std::span<std::byte> buffer, Take take) {
    bool nothing_lost = true;
    for (;;) {
        const auto piece = socket.receive_waiting(buffer);
        if (!piece) {
            nothing_lost = false;  // ENOBUFS is reported once; queued answers follow
            if (piece.error().number != ENOBUFS) return false;
            continue;
        }
        if (!*piece) return nothing_lost;
        Message message;
        for (MessageReader reader{**piece}; reader.next(message);)
            take(message);
    }
}

}  // namespace headgate::netlink
