// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/flow_changes.h"

#include <linux/netfilter/nfnetlink_conntrack.h>

#include <algorithm>
#include <cerrno>

#include "base/error_kinds.h"
#include "conntrack/ctnetlink_requests.h"
#include "conntrack/flow_message.h"
#include "netlink/socket.h"

namespace headgate::conntrack {
namespace {

/// A quarter of the time that a flow may be replaced in, compared with 64, and hardly slower.
constexpr std::size_t kRowsPerBatch = 16;

/// An echoed event occupies 1.3 KiB of a socket's buffer and an error 0.8 KiB (skb truesize); room for a batch of both,
/// with a margin.
constexpr int kAnswerRoom = static_cast<int>(kRowsPerBatch) * 2 * 4 * 1024;

constexpr std::size_t kLongestAnswer = 8 * 1024;

void resolve(FlowRow& row, Outcome outcome, int error = 0) {
    row.outcome = outcome;
    row.error = error;
}

constexpr std::size_t kInsertsPerBatch = 128;

/// An error occupies 0.8 KiB of a socket's buffer (its skb's truesize), so that all answers to a batch fit in.
constexpr int kRefusalRoom = 1024 * 1024;

constexpr std::size_t kLongestRefusal = 4096;

Insertion insertion_of(int error) {
    if (error == 0) return Insertion::Inserted;
    return error == EEXIST ? Insertion::Exists : Insertion::Failed;
}

/// The errno of each flow; 0: inserted.
std::vector<int> insert_batch(netlink::Socket& socket, std::span<const Flow> flows) {
    RequestBatch batch;
    for (std::uint32_t i = 0; i < flows.size(); ++i)
        batch.add_insert(flows[i], i);
    batch.acknowledge_last();
    const auto sent = socket.send(batch.bytes());
    std::vector<int> errors(flows.size(), sent ? 0 : sent.error().number);
    if (!sent) return errors;
    std::vector<bool> answered(flows.size(), false);
    std::vector<std::byte> buffer(kLongestRefusal);
    const bool nothing_lost = netlink::receive_answers(socket, buffer, [&](const netlink::Message& message) {
        const std::size_t index = message.header.nlmsg_seq;
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

}  // namespace

FlowDeleter::FlowDeleter(netlink::Socket socket) : socket_(std::move(socket)), buffer_(kLongestAnswer) {
    socket_.set_receive_room(kAnswerRoom);
}

void FlowDeleter::remove(std::span<const FlowRow> rows, const Confirmation& confirm, const EndingSink& ended) {
    while (!rows.empty()) {
        begin_batch(rows);
        const auto looked = look_up_now(pending_);
        for (auto& row : pending_) {
            if (row.outcome) continue;
            if (!looked) {
                resolve(row, Outcome::Failed, errno_of_failure(looked.error()));
            } else if (!confirm(row.flow)) {
                resolve(row, Outcome::Gone);
            }
        }
        if (!send_deletes(pending_)) delete_one_by_one();
        for (const auto& each : pending_)
            ended(each);
    }
}

Result<void> FlowDeleter::look_up(std::span<const FlowRow> rows, const PresenceSink& found) {
    while (!rows.empty()) {
        begin_batch(rows);
        RETURN_IF_ERROR(look_up_now(pending_));
        for (const auto& each : pending_) {
            found(each.flow, each.outcome == Outcome::Gone ? Presence::Gone : Presence::There);
        }
    }
    return {};
}

/// Moves the next rows from the front of `rows` into the batch.
void FlowDeleter::begin_batch(std::span<const FlowRow>& rows) {
    pending_.clear();
    for (const auto& row : rows.first(std::min(rows.size(), kRowsPerBatch)))
        pending_.push_back({row.flow});
    rows = rows.subspan(pending_.size());
}

/// Updates the rows, or finds that they are gone. Once more for those whose answers are lost.
Result<void> FlowDeleter::look_up_now(std::span<FlowRow> rows) {
    std::vector<bool> answered(rows.size());
    for (int attempt = 0; attempt < 2; ++attempt) {
        ASSIGN_OR_RETURN(const auto missing, send_lookups(rows, answered));
        if (missing == 0) return {};
    }
    return failed("conntrack did not answer all lookups");
}

/// For the rows without an answer; returns how many still have none.
Result<std::size_t> FlowDeleter::send_lookups(std::span<FlowRow> rows, std::vector<bool>& answered) {
    batch_.clear();
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (!answered[i]) batch_.add_lookup(rows[i].flow, first_sequence_ + static_cast<std::uint32_t>(i));
    RETURN_IF_ERROR(socket_.send(batch_.bytes()));
    int refusal = 0;
    static_cast<void>(netlink::receive_answers(socket_, buffer_, [&](const netlink::Message& message) {
        const std::size_t index = message.header.nlmsg_seq - first_sequence_;
        if (index >= rows.size()) return;
        if (message.is(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW)) {
            answered[index] = update_from_lookup(message.payload, rows[index]);
        } else if (message.error() == ENOENT) {
            answered[index] = true;
            resolve(rows[index], Outcome::Gone);
        } else if (message.error() != 0) {
            refusal = message.error();
        }
    }));
    first_sequence_ += static_cast<std::uint32_t>(rows.size());
    if (refusal != 0) return conntrack_error(refusal);
    return static_cast<std::size_t>(std::ranges::count(answered, false));
}

/// Whether the message can be read.
bool FlowDeleter::update_from_lookup(netlink::Bytes payload, FlowRow& row) {
    const auto message = FlowMessage::parse(payload);
    const auto found = message ? message->decode() : tl::unexpected(message.error());
    if (!found) return false;
    is_same_flow(row.flow, *found) ? message->update(row.flow) : resolve(row, Outcome::Gone);
    return true;
}

/// Deletes the rows without an outcome. Returns whether all rows have one now.
bool FlowDeleter::send_deletes(std::span<FlowRow> rows) {
    batch_.clear();
    next_event_ = 0;
    FlowRow* last = nullptr;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].outcome) continue;
        last = &rows[i];
        batch_.add_delete(last->flow, first_sequence_ + static_cast<std::uint32_t>(i));
    }
    if (last == nullptr) return true;
    batch_.acknowledge_last();
    bool worked_through = false;
    const auto sent = socket_.send(batch_.bytes());
    const bool nothing_lost = netlink::receive_answers(socket_, buffer_, [&](const netlink::Message& message) {
        if (message.is(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE)) update_from_event(message.payload, rows);
        if (message.header.nlmsg_type != NLMSG_ERROR) return;
        FlowRow* const row = row_of(message.header.nlmsg_seq, rows);
        if (row == nullptr) return;
        if (row == last) worked_through = true;
        // ENOENT: no entry has the tuple, or it has another id (ctnetlink_del_conntrack).
        if (const int number = message.error(); number == ENOENT) {
            resolve(*row, Outcome::Gone);
        } else if (number != 0) {
            resolve(*row, Outcome::Failed, number);
        }
    });
    first_sequence_ += static_cast<std::uint32_t>(rows.size());
    for (auto& row : rows) {
        if (row.outcome) continue;
        if (!sent) resolve(row, Outcome::Failed, sent.error().number);  // refused before the kernel processed it
        if (sent && nothing_lost && worked_through) resolve(row, Outcome::Flushed);
    }
    return std::ranges::all_of(rows, [](const FlowRow& row) { return row.outcome.has_value(); });
}

/// Answers were lost, or the kernel stopped within the batch (without CAP_NET_ADMIN it answers only the first request:
/// nfnetlink.c, nfnetlink_rcv). Looks for the rows without an answer, and deletes them again, one by one. If such a
/// flow no longer exists, the first attempt ended it.
void FlowDeleter::delete_one_by_one() {
    for (auto& row : pending_) {
        if (row.outcome) continue;
        if (const auto looked = look_up_now({&row, 1}); !looked) {
            resolve(row, Outcome::Failed, errno_of_failure(looked.error()));
        } else if (!send_deletes({&row, 1})) {
            resolve(row, Outcome::Failed, EIO);
        }
        if (row.outcome == Outcome::Gone) resolve(row, Outcome::Flushed);
    }
}

FlowRow* FlowDeleter::row_of(std::uint32_t sequence, std::span<FlowRow> rows) const {
    const std::size_t index = sequence - first_sequence_;
    return index < rows.size() ? &rows[index] : nullptr;
}

void FlowDeleter::update_from_event(netlink::Bytes payload, std::span<FlowRow> rows) {
    const auto message = FlowMessage::parse(payload);
    if (!message) return;
    const auto original = message->original_tuple();
    for (std::size_t i = next_event_; original && i < rows.size(); ++i) {
        Flow& flow = rows[i].flow;
        if (flow.id != message->id() || flow.original != *original) continue;
        message->update(flow);
        flow.status &= ~flow_status::kDying;  // describes the deletion, not the flow
        resolve(rows[i], Outcome::Flushed);
        next_event_ = i + 1;
        return;
    }
}

void insert_flows(netlink::Socket socket, std::span<const Flow> flows, const InsertionSink& inserted) {
    socket.set_receive_room(kRefusalRoom);
    while (!flows.empty()) {
        const auto some = flows.first(std::min(flows.size(), kInsertsPerBatch));
        const auto errors = insert_batch(socket, some);
        for (std::size_t i = 0; i < some.size(); ++i)
            inserted(some[i], insertion_of(errors[i]), errors[i]);
        flows = flows.subspan(some.size());
    }
}

}  // namespace headgate::conntrack
