// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/expiry/flow_expiry.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "conntrack/bpf/run_program.h"
#include "conntrack/candidate_lookup.h"
#include "conntrack/destroy_events.h"
#include "conntrack/walk/walk_row.h"
#include "netlink/socket.h"

namespace headgate::conntrack {
namespace {

bool can_expire(const Flow& flow) {
    if (!flow.started || (flow.status & flow_status::kOffloaded) != 0) return false;
    const auto protocol = flow.original.protocol;
    return protocol == Protocol::Udp || (protocol == Protocol::Tcp && flow.protocol_state);
}

expire_flow request_for(const Flow& flow) {
    expire_flow request{};
    const auto candidate = candidate_of(flow);
    request.key = key_of(candidate.tuple, candidate.zone);
    request.started = static_cast<std::uint64_t>(flow.started->time_since_epoch().count());
    request.status = flow.status;
    request.mark = flow.mark.value_or(0);
    request.tcp_state = flow.protocol_state.value_or(0);
    return request;
}

Counters counters_of(const expire_counter& counter) {
    return {counter.packets, counter.bytes};
}

void update_from_end(const expire_flow& end, Flow& flow) {
    flow.status = end.status & ~flow_status::kDying;  // describes the end, not the flow
    if (flow.mark) flow.mark = end.mark;
    if (flow.protocol_state) flow.protocol_state = end.tcp_state;
    flow.stopped = Timestamp{std::chrono::nanoseconds{static_cast<std::int64_t>(end.stopped)}};
    if (end.has_counters == 0) return;
    flow.counters_original = counters_of(end.counters[0]);
    flow.counters_reply = counters_of(end.counters[1]);
}

/// Whether what a flow was in the end may follow from what conntrack reported before.
bool agrees_with(const Flow& end, const std::optional<Flow>& before) {
    return before && difference(end, *before).empty() &&
           total_counters(end).value_or(Counters{}).packets >= total_counters(*before).value_or(Counters{}).packets;
}

}  // namespace

FlowExpiry::~FlowExpiry() {
    if (program_.unload != nullptr) program_.unload(&program_);
}

void FlowExpiry::expire(const netlink::NetworkNamespace& where, std::span<FlowRow> rows, const Confirmation& confirm) {
    const std::lock_guard lock{mutex_};
    if (!may_expire(where, rows.size())) return;
    std::vector<FlowRow*> suitable;
    for (auto& row : rows)
        if (can_expire(row.flow) && confirm(row.flow)) suitable.push_back(&row);
    if (suitable.empty()) return;
    if (const auto done = where.run([&] { return expire_all(suitable); }); !done) give_up(done.error());
}

bool FlowExpiry::may_expire(const netlink::NetworkNamespace& where, std::size_t rows) const {
    if (fault_ || (program_.unload == nullptr && rows < from_)) return false;
    return expired_ || !are_ends_heard(where);
}

Result<void> FlowExpiry::expire_all(std::span<FlowRow* const> rows) {
    RETURN_IF_ERROR(load_once());
    while (!rows.empty()) {
        const auto some = rows.first(std::min<std::size_t>(rows.size(), EXPIRE_MOST_FLOWS));
        RETURN_IF_ERROR(is_checked_ ? expire_some(some) : expire_checked(some));
        rows = rows.subspan(some.size());
    }
    return {};
}

Result<void> FlowExpiry::load_once() {
    if (program_.unload != nullptr) return {};
    const int fault = load_expire_program(&program_);
    return fault == 0 ? Result<void>{} : not_loaded(fault);
}

/// Compares with what conntrack reports before and afterwards.
Result<void> FlowExpiry::expire_checked(std::span<FlowRow* const> rows) {
    std::vector<Candidate> candidates;
    for (const auto* row : rows)
        candidates.push_back(candidate_of(row->flow));
    ASSIGN_OR_RETURN(auto socket, netlink::Socket::open());
    ASSIGN_OR_RETURN(const auto before, look_up(socket, candidates));
    RETURN_IF_ERROR(expire_some(rows));
    ASSIGN_OR_RETURN(const auto after, look_up(socket, candidates));
    std::size_t ended = 0;
    std::size_t different = 0;
    std::size_t still_there = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        auto& row = *rows[i];
        if (!row.outcome) continue;
        ++ended;
        if (row.outcome == Outcome::Flushed && !agrees_with(row.flow, before[i])) ++different;
        if (!after[i] || after[i]->started != row.flow.started) continue;
        ++still_there;
        row.outcome.reset();
    }
    if (still_there != 0) return make_error(ErrorKind::Damaged, "of {} flows, {} are still there", ended, still_there);
    if (are_too_many(different, ended)) {
        return make_error(ErrorKind::Damaged, "of {} flows, {} differ from what conntrack reported", ended, different);
    }
    is_checked_ = ended != 0;
    return {};
}

Result<void> FlowExpiry::expire_some(std::span<FlowRow* const> rows) {
    auto& request = *program_.request;
    request.flows = static_cast<std::uint32_t>(rows.size());
    request.next = 0;
    for (std::size_t i = 0; i < rows.size(); ++i)
        request.flow[i] = request_for(rows[i]->flow);
    std::optional<ExpiredFlows::Notes> notes;
    if (expired_) notes.emplace(*expired_);
    auto run = run_on_packet(program_.expire, request.flows);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        auto& row = *rows[i];
        if (request.flow[i].outcome == EXPIRE_GONE) row.outcome = Outcome::Gone;
        if (request.flow[i].outcome != EXPIRE_ENDED) continue;
        if (notes) notes->add(row.flow);
        update_from_end(request.flow[i], row.flow);
        row.outcome = Outcome::Flushed;
    }
    return run;
}

void FlowExpiry::give_up(const Error& fault) {
    fault_ = fault;
    if (report_) report_(fmt::format("fast flushes are off, and flows are deleted instead: {}", fault.message));
}

}  // namespace headgate::conntrack
