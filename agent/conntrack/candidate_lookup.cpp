// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/candidate_lookup.h"

#include <linux/netfilter/nfnetlink_conntrack.h>

#include <cerrno>

#include "conntrack/ctnetlink_requests.h"
#include "conntrack/flow_message.h"
#include "netlink/socket.h"

namespace headgate::conntrack {

Result<std::vector<std::optional<Flow>>> look_up(netlink::Socket& socket, std::span<const Candidate> candidates) {
    RequestBatch batch;
    for (std::uint32_t i = 0; i < candidates.size(); ++i)
        batch.add_lookup(candidates[i].tuple, candidates[i].zone, i);
    std::vector<std::optional<Flow>> found(candidates.size());
    if (candidates.empty()) return found;
    RETURN_IF_ERROR(socket.send(batch.bytes()));
    std::vector<std::byte> buffer(netlink::kDumpBuffer);
    int fault = 0;
    const bool nothing_lost = netlink::receive_answers(socket, buffer, [&](const netlink::Message& message) {
        if (const int number = message.error(); number != 0 && number != ENOENT) fault = number;
        if (!message.is(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW) || message.header.nlmsg_seq >= found.size()) return;
        if (!FlowMessage::is_internet_family(message.payload)) return;
        const auto flow =
            FlowMessage::parse(message.payload).and_then([](const FlowMessage& parsed) { return parsed.decode(); });
        if (flow) found[message.header.nlmsg_seq] = *flow;
    });
    if (fault != 0) return conntrack_error(fault);
    if (!nothing_lost) return failed("conntrack did not answer all lookups");
    return found;
}

}  // namespace headgate::conntrack
