// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's messages about the flows of this namespace, as they came.
#pragma once

#include <gtest/gtest.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include <vector>

#include "conntrack/ctnetlink_requests.h"
#include "netlink/messages.h"
#include "netlink/socket.h"

namespace headgate::testing {

/// About the flows that the kernel's filter lets through, without matching by headgate.
inline std::vector<std::vector<std::byte>> dump_messages(const conntrack::KernelFilter& filter) {
    auto socket = netlink::Socket::open();
    conntrack::RequestBatch request;
    request.add_dump(filter, 1);
    EXPECT_TRUE(socket->send(request.bytes()).has_value());
    std::vector<std::byte> buffer(netlink::kDumpBuffer);
    std::vector<std::vector<std::byte>> messages;
    for (;;) {
        const auto piece = socket->receive(buffer);
        if (!piece) return messages;
        netlink::Message message;
        for (netlink::MessageReader reader{*piece}; reader.next(message);) {
            if (message.header.nlmsg_type == NLMSG_DONE || message.header.nlmsg_type == NLMSG_ERROR) {
                EXPECT_EQ(message.error(), 0);
                return messages;
            }
            if (!message.is(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW)) continue;
            messages.emplace_back(message.payload.begin(), message.payload.end());
        }
    }
}

}  // namespace headgate::testing
