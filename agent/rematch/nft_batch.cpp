// SPDX-License-Identifier: GPL-2.0-or-later
#include "rematch/nft_batch.h"

#include <algorithm>
#include <optional>

#include "netlink/socket.h"

namespace headgate::rematch {

using netlink::Attribute;
using netlink::Bytes;
using netlink::for_each_attribute;
using netlink::MessageWriter;

namespace {

/// Two things a dump gets wrong: it reports a timeout of 0, which is refused for sets without timeouts, and not that
/// there are expressions (nft_dynset.c, nft_dynset_dump).
void write_dynset(MessageWriter& writer, Bytes data) {
    auto flags = number_in(data, NFTA_DYNSET_FLAGS);
    if (has(data, NFTA_DYNSET_EXPRESSIONS)) flags |= NFT_DYNSET_F_EXPR;
    for_each_attribute(data, [&](const Attribute& attribute) {
        const bool no_timeout =
            attribute.type == NFTA_DYNSET_TIMEOUT && netlink::read_big_endian<std::uint64_t>(attribute.payload) == 0;
        if (!no_timeout && attribute.type != NFTA_DYNSET_FLAGS && attribute.type != NFTA_DYNSET_PAD) {
            writer.copy(attribute);
        }
    });
    if (flags != 0) writer.big_endian(NFTA_DYNSET_FLAGS, flags);
}

}  // namespace

Result<void> NftBatch::commit() {
    mark(NFNL_MSG_BATCH_END);
    ASSIGN_OR_RETURN(auto socket, netlink::Socket::open());
    socket.set_send_room(256 << 20);
    socket.set_receive_room(16 << 20);
    RETURN_IF_ERROR(socket.send(writer_.bytes()));
    std::vector<std::byte> buffer(netlink::kDumpBuffer);
    std::optional<Error> fault;
    const bool complete = netlink::receive_answers(socket, buffer, [&](const netlink::Message& message) {
        if (message.header.nlmsg_type != NLMSG_ERROR || message.error() == 0 || fault) return;
        const std::size_t index = message.header.nlmsg_seq;
        const auto where = index >= 1 && index <= parts_.size() ? parts_[index - 1] : std::string{"transaction"};
        fault = system_error(message.error(), "copying the ruleset: " + where).value();
    });
    if (fault) return tl::unexpected(std::move(*fault));
    if (!complete) return failed("copying the ruleset: the kernel's answers were lost");
    return {};
}

void NftBatch::mark(int message) {
    writer_.begin(static_cast<std::uint16_t>(message), 0);
    writer_.netfilter(AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
    writer_.end();
}

void copy_without(MessageWriter& writer, Bytes attributes, std::initializer_list<int> without) {
    for_each_attribute(attributes, [&](const Attribute& attribute) {
        if (std::ranges::find(without, attribute.type) == without.end()) writer.copy(attribute);
    });
}

void write_expressions(MessageWriter& writer, const std::vector<Expression>& expressions) {
    writer.nest(NFTA_RULE_EXPRESSIONS, [&] {
        for (const auto& expression : expressions) {
            writer.nest(NFTA_LIST_ELEM, [&] {
                writer.text(NFTA_EXPR_NAME, expression.name);
                if (expression.data.empty()) return;
                writer.nest(NFTA_EXPR_DATA, [&] {
                    if (expression.name == "dynset") return write_dynset(writer, expression.data);
                    copy_without(writer, expression.data, {});
                });
            });
        }
    });
}

}  // namespace headgate::rematch
