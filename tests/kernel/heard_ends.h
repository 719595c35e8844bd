// SPDX-License-Identifier: GPL-2.0-or-later
// Decoded DESTROY events, as a listener receives them, for tests.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <vector>

#include "conntrack/destroy_events.h"
#include "conntrack/flow_message.h"

namespace headgate::testing {

struct HeardEnd {
    Flow flow;
    std::uint32_t port_id = 0;
};

/// The events in the queue.
inline std::vector<HeardEnd> heard(conntrack::DestroyEvents& events) {
    std::vector<HeardEnd> ends;
    for (;;) {
        const auto block = events.receive();
        EXPECT_TRUE(block.has_value());
        if (!block || !*block) return ends;
        netlink::Message message;
        auto reader = (*block)->messages();
        while (reader.next(message)) {
            const auto found = conntrack::FlowMessage::parse(message.payload);
            EXPECT_TRUE(found.has_value());
            ends.push_back({found->decode().value(), message.header.nlmsg_pid});
        }
        EXPECT_TRUE(reader.at_end());
    }
}

/// Waits up to three seconds for events and returns them; empty when there are none.
inline std::vector<HeardEnd> await(conntrack::DestroyEvents& events) {
    pollfd waiting{events.fd(), POLLIN, 0};
    ::poll(&waiting, 1, 3000);
    return heard(events);
}

}  // namespace headgate::testing
