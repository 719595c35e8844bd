// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/flow_inserter.h"

#include <algorithm>
#include <cerrno>

#include "netlink/answers.h"

namespace headgate::conntrack {
namespace {

constexpr std::size_t kInsertsPerBatch = 128;

/// An error occupies 0.8 KiB of a socket's buffer (its skb's truesize), so that all answers to a batch fit in.
constexpr int kRefusalRoom = 1024 * 1024;

constexpr std::size_t kLongestRefusal = 4096;

Insertion insertion_of(int error) {
    if (error == 0) return Insertion::Inserted;
    return error == EEXIST ? Insertion::Exists : Insertion::Failed;
}

}  // namespace

FlowInserter::FlowInserter(netlink::Socket socket) : socket_(std::move(socket)), buffer_(kLongestRefusal) {
    socket_.set_receive_room(kRefusalRoom);
}

void FlowInserter::insert(std::span<const Flow> flows, const InsertionSink& told) {
    while (!flows.empty()) {
        const auto some = flows.first(std::min(flows.size(), kInsertsPerBatch));
        const auto errors = insert_batch(some);
        for (std::size_t i = 0; i < some.size(); ++i)
            told(some[i], insertion_of(errors[i]), errors[i]);
        flows = flows.subspan(some.size());
    }
}

/// The errno of each flow; 0: inserted.
std::vector<int> FlowInserter::insert_batch(std::span<const Flow> flows) {
    const std::uint32_t first = next_sequence_;
    batch_.clear();
    for (const auto& flow : flows)
        batch_.add_insert(flow, next_sequence_++);
    batch_.acknowledge_last();
    const auto sent = socket_.send(batch_.bytes());
    std::vector<int> errors(flows.size(), sent ? 0 : sent.error().number);
    if (!sent) return errors;

    std::vector<bool> answered(flows.size(), false);
    const bool nothing_lost = netlink::take_answers(socket_, buffer_, [&](const netlink::Message& message) {
        const std::size_t index = message.header.nlmsg_seq - first;
        if (message.header.nlmsg_type != NLMSG_ERROR || index >= flows.size()) return;
        answered[index] = true;
        errors[index] = message.error();
    });
    if (nothing_lost && answered.back()) return errors;
    // Without CAP_NET_ADMIN the kernel answers only the first request (nfnetlink.c, nfnetlink_rcv).
    const int unanswered = answered.front() && errors.front() == EPERM ? EPERM : EIO;
    for (std::size_t i = 0; i < flows.size(); ++i)
        if (!answered[i]) errors[i] = unanswered;
    return errors;
}

}  // namespace headgate::conntrack
