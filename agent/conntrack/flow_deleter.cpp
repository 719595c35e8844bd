// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/flow_deleter.h"

#include <linux/netfilter/nfnetlink_conntrack.h>

#include <algorithm>
#include <cerrno>

#include "conntrack/conntrack_error.h"
#include "conntrack/flow_message.h"
#include "netlink/messages.h"

namespace headgate::conntrack {
namespace {

constexpr std::size_t kRowsPerBatch = 64;

/// An echoed event occupies 1.3 KiB of a socket's buffer and an error 0.8 KiB (skb truesize); room for a batch of both,
/// with a margin.
constexpr int kAnswerRoom = static_cast<int>(kRowsPerBatch) * 2 * 4 * 1024;

constexpr std::size_t kLongestAnswer = 8 * 1024;

Family family_of(const Flow& flow) {
    return flow.original.source.family;
}

}  // namespace

FlowDeleter::FlowDeleter(netlink::Socket socket) : socket_(std::move(socket)), buffer_(kLongestAnswer) {
    socket_.set_receive_room(kAnswerRoom);
}

void FlowDeleter::remove(std::span<const FlowRow> rows, const EndingSink& ended) {
    while (!rows.empty()) {
        begin_batch(rows);
        // If the look-up fails, so do the deletes, which report the error for each flow.
        static_cast<void>(look_up_batch());
        if (!send_deletes(pending_)) delete_one_by_one();
        for (const auto& each : pending_)
            ended(each.ending);
    }
}

Result<void> FlowDeleter::look_up(std::span<const FlowRow> rows, const PresenceSink& found) {
    while (!rows.empty()) {
        begin_batch(rows);
        RETURN_IF_ERROR(look_up_batch());
        for (const auto& each : pending_) {
            const bool gone = each.progress == Progress::Resolved && each.ending.outcome == Outcome::Gone;
            found(each.ending.flow, gone ? Presence::Gone : Presence::There);
        }
    }
    return {};
}

/// Moves the next rows from the front of `rows` into the batch.
void FlowDeleter::begin_batch(std::span<const FlowRow>& rows) {
    pending_.clear();
    for (const auto& row : rows.first(std::min(rows.size(), kRowsPerBatch))) {
        const FlowKey key = row.key.length != 0 ? row.key : encode_key(row.flow);
        pending_.push_back({FlowEnding{row.flow, Outcome::Failed, EIO}, key, Progress::Unanswered});
    }
    rows = rows.subspan(pending_.size());
}

Result<void> FlowDeleter::look_up_batch() {
    batch_.clear();
    for (std::size_t i = 0; i < pending_.size(); ++i) {
        const Flow& flow = pending_[i].ending.flow;
        batch_.add_lookup(family_of(flow), pending_[i].key, first_sequence_ + static_cast<std::uint32_t>(i));
    }
    RETURN_IF_ERROR(socket_.send(batch_.bytes()));
    int refusal = 0;
    // If an answer is lost, only the id guards its flow.
    static_cast<void>(take_answers([&](const netlink::Message& message) {
        Pending* const pending = row_of(message.header.nlmsg_seq, pending_);
        if (pending == nullptr) return;
        if (message.is(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW)) take_lookup(message.payload, *pending);
        if (message.header.nlmsg_type != NLMSG_ERROR) return;
        if (message.error() == ENOENT) {
            pending->resolve(Outcome::Gone);
        } else if (message.error() != 0) {
            refusal = message.error();
        }
    }));
    first_sequence_ += static_cast<std::uint32_t>(pending_.size());
    return refusal == 0 ? Result<void>{} : conntrack_error(refusal);
}

void FlowDeleter::take_lookup(netlink::Bytes payload, Pending& pending) {
    const auto message = FlowMessage::parse(payload);
    if (!message) return;
    const auto found = message->decode();
    if (!found) return;
    Flow& flow = pending.ending.flow;
    const bool same = found->id == flow.id && (!flow.started || found->started == flow.started);
    if (!same) {
        pending.resolve(Outcome::Gone);
        return;
    }
    message->update(flow);
}

/// Deletes the rows without an outcome. Returns whether all rows have one now.
bool FlowDeleter::send_deletes(std::span<Pending> rows) {
    batch_.clear();
    next_event_ = 0;
    Pending* last = nullptr;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].progress == Progress::Resolved) continue;
        last = &rows[i];
        batch_.add_delete(family_of(last->ending.flow), last->key, first_sequence_ + static_cast<std::uint32_t>(i));
    }
    if (last == nullptr) return true;
    batch_.acknowledge_last();
    bool worked_through = false;
    const auto sent = socket_.send(batch_.bytes());
    const bool nothing_lost = take_answers([&](const netlink::Message& message) {
        if (message.is(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE)) take_event(message.payload, rows);
        if (message.header.nlmsg_type != NLMSG_ERROR) return;
        Pending* const row = row_of(message.header.nlmsg_seq, rows);
        if (row == nullptr) return;
        if (row == last) worked_through = true;
        // ENOENT: no entry has the tuple, or it has another id (ctnetlink_del_conntrack).
        if (const int number = message.error(); number == ENOENT) {
            row->resolve(Outcome::Gone);
        } else if (number != 0) {
            row->resolve(Outcome::Failed, number);
        }
    });
    first_sequence_ += static_cast<std::uint32_t>(rows.size());
    for (auto& row : rows) {
        if (row.progress == Progress::Resolved) continue;
        if (!sent) row.resolve(Outcome::Failed, sent.error().number);  // refused before the kernel processed it
        if (sent && nothing_lost && worked_through) row.resolve(Outcome::Flushed);
    }
    return std::ranges::all_of(rows, [](const Pending& row) { return row.progress == Progress::Resolved; });
}

/// Answers were lost, or the kernel stopped within the batch (without CAP_NET_ADMIN it answers only the first request:
/// nfnetlink.c, nfnetlink_rcv). Deletes the rows without an answer again, one by one. If such a flow no longer exists,
/// the first attempt ended it.
void FlowDeleter::delete_one_by_one() {
    for (auto& row : pending_) {
        if (row.progress == Progress::Resolved) continue;
        if (!send_deletes({&row, 1})) row.resolve(Outcome::Failed, EIO);
        if (row.ending.outcome == Outcome::Gone) row.resolve(Outcome::Flushed);
    }
}

template <typename Take>
bool FlowDeleter::take_answers(Take take) {
    bool nothing_lost = true;
    for (;;) {
        const auto piece = socket_.receive_waiting(buffer_);
        if (!piece) {
            nothing_lost = false;  // ENOBUFS is reported once; queued answers follow
            if (piece.error().number != ENOBUFS) return false;
            continue;
        }
        if (!*piece) return nothing_lost;
        netlink::Message message;
        for (netlink::MessageReader reader{**piece}; reader.next(message);)
            take(message);
    }
}

FlowDeleter::Pending* FlowDeleter::row_of(std::uint32_t sequence, std::span<Pending> rows) const {
    const std::size_t index = sequence - first_sequence_;
    return index < rows.size() ? &rows[index] : nullptr;
}

void FlowDeleter::take_event(netlink::Bytes payload, std::span<Pending> rows) {
    const auto message = FlowMessage::parse(payload);
    if (!message) return;
    const auto original = message->original_tuple();
    for (std::size_t i = next_event_; original && i < rows.size(); ++i) {
        Flow& flow = rows[i].ending.flow;
        if (flow.id != message->id() || flow.original != *original) continue;
        message->update(flow);
        flow.status &= ~flow_status::kDying;  // describes the deletion, not the flow
        rows[i].resolve(Outcome::Flushed);
        next_event_ = i + 1;
        return;
    }
}

}  // namespace headgate::conntrack
