// SPDX-License-Identifier: GPL-2.0-or-later
#include "midstream/ruleset_watch.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

#include "midstream/ruleset_text.h"
#include "netlink/messages.h"

namespace headgate::midstream {
namespace {

/// Notifications of a transaction come in datagrams of NLMSG_GOODSIZE, less than 8 KiB (nf_tables_api.c,
/// nft_commit_notify; include/linux/netlink.h).
constexpr std::size_t kLongestDatagram = 16384;

/// Elements added to sets are reported as well, some forty per datagram, which occupies 8 KiB. The default buffer is
/// full after a thousand, and lost notifications must count as a change. This size (which the kernel doubles, sock.c,
/// __sock_set_rcvbuf) holds twenty thousand, two for each remembered flow; memory is used only while they are queued.
constexpr int kWatchReceiveRoom = 2 << 20;

/// `nft destroy` has message types of its own since Linux 6.3 (nf_tables_api.c, nf_tables_commit: trans->msg_type).
/// Older headers don't define them.
constexpr int kDestroyTable = 26;
constexpr int kDestroyChain = 27;
constexpr int kDestroyRule = 28;

/// The attribute that names the table, for the message types that matter.
std::optional<std::uint16_t> table_attribute(int message) noexcept {
    switch (message) {
        case NFT_MSG_NEWTABLE:
        case NFT_MSG_DELTABLE:
        case kDestroyTable:
            return NFTA_TABLE_NAME;
        case NFT_MSG_NEWCHAIN:
        case NFT_MSG_DELCHAIN:
        case kDestroyChain:
            return NFTA_CHAIN_TABLE;
        case NFT_MSG_NEWRULE:
        case NFT_MSG_DELRULE:
        case kDestroyRule:
            return NFTA_RULE_TABLE;
        default:
            return std::nullopt;
    }
}

/// `headgate`, or a name that begins with `headgate_`, as that of the quarantine's table.
bool is_our_table(netlink::Bytes name) noexcept {
    if (name.size() <= kTable.size() || std::memcmp(name.data(), kTable.data(), kTable.size()) != 0) return false;
    const auto next = name[kTable.size()];
    return next == std::byte{0} || next == std::byte{'_'};
}

bool reports_change(const netlink::Message& message) noexcept {
    if (message.header.nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES) return false;
    const auto wanted = table_attribute(message.header.nlmsg_type & 0xff);
    if (!wanted) return false;
    nfgenmsg generic{};
    if (message.payload.size() < sizeof generic) return true;
    std::memcpy(&generic, message.payload.data(), sizeof generic);
    if (generic.nfgen_family != NFPROTO_INET) return false;
    netlink::Attribute attribute;
    netlink::AttributeReader reader{message.payload.subspan(sizeof generic)};
    while (reader.next(attribute)) {
        if (attribute.type == *wanted) return is_our_table(attribute.payload);
    }
    return true;  // no table named: not known to occur; counts as a change
}

}  // namespace

bool reports_change(netlink::Bytes datagram) noexcept {
    netlink::Message message;
    netlink::MessageReader reader{datagram};
    while (reader.next(message)) {
        if (reports_change(message)) return true;
    }
    return !reader.at_end();
}

Result<RulesetWatch> RulesetWatch::open(const netlink::NetworkNamespace& where) {
    std::optional<netlink::Socket> socket;
    auto opened = where.run([&]() -> Result<void> {
        ASSIGN_OR_RETURN(auto inside, netlink::Socket::open());
        socket = std::move(inside);
        socket->set_receive_room(kWatchReceiveRoom);
        return socket->subscribe(NFNLGRP_NFTABLES);
    });
    if (!opened) return tl::unexpected(std::move(opened.error()).within("watching nftables"));
    return RulesetWatch{std::move(*socket)};
}

Result<bool> RulesetWatch::changed() {
    std::array<std::byte, kLongestDatagram> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    for (bool changed = false;;) {
        const auto datagram = socket_.receive_waiting(buffer);
        if (datagram && !*datagram) return changed;
        // Lost datagrams are reported once for all; the queued ones follow.
        if (!datagram && datagram.error().number != ENOBUFS && datagram.error().number != EMSGSIZE) {
            return tl::unexpected(datagram.error());
        }
        if (!datagram) ++losses_;
        changed = changed || !datagram || reports_change(**datagram);
    }
}

}  // namespace headgate::midstream
