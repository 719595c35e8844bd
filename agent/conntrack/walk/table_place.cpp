// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/walk/table_place.h"

#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "conntrack/candidate_lookup.h"
#include "conntrack/flow_changes.h"
#include "conntrack/flow_message.h"
#include "netlink/messages.h"
#include "threads/start_thread.h"

namespace headgate::conntrack {
namespace {

using namespace std::chrono_literals;

/// A resize takes as long as moving all entries.
constexpr auto kLongestResize = 500ms;

/// A dump of fewer flows may walk most of the hash for its first piece, with softirqs off.
constexpr std::uint64_t kDense = 1000;

/// Flows to try as anchors: each may end before it is looked up.
constexpr std::size_t kMostAnchors = 32;

bool can_be_anchor(const Flow& flow) {
    const auto protocol = flow.original.protocol;
    return flow.zone == 0 && (protocol == Protocol::Tcp || protocol == Protocol::Udp);
}

/// Addresses for documentation (RFC 5737), in a network namespace that nothing else is in.
Flow own_anchor() {
    Flow flow;
    flow.original.source = {Family::Ipv4, {192, 0, 2, 1}};
    flow.original.destination = {Family::Ipv4, {192, 0, 2, 2}};
    flow.original.protocol = Protocol::Udp;
    flow.original.source_port = flow.original.destination_port = 9;
    flow.reply = swapped(flow.original);
    flow.timeout = 600s;
    return flow;
}

/// In a network namespace of the calling thread's own.
Result<std::uint64_t> table_by_inserted(WalkPrograms& programs) {
    const Flow anchor = own_anchor();
    ASSIGN_OR_RETURN(auto socket, netlink::Socket::open());
    ASSIGN_OR_RETURN(auto inserting, netlink::Socket::open());
    int refused = 0;
    insert_flows(std::move(inserting), {&anchor, 1}, [&](const Flow&, Insertion, int error) { refused = error; });
    if (refused != 0) return system_error(refused, "inserting a flow to find the table by");
    const auto found = programs.find_table_by(anchor.original);
    // Before the namespace goes: the kernel would search the whole hash for what is left in it, and no thread may run
    // on that CPU meanwhile (nf_conntrack_core.c, nf_ct_iterate_cleanup_net).
    const Candidate candidate = {anchor.original, 0};
    ASSIGN_OR_RETURN(const auto inserted, look_up(socket, {&candidate, 1}));
    if (inserted.front()) {
        const FlowRow row{*inserted.front()};
        FlowDeleter{std::move(socket)}.remove(
            {&row, 1}, [](const Flow&) { return true; }, [](const FlowRow&) {});
    }
    if (!found) return tl::unexpected(found.error());
    if (!*found) return failed("conntrack does not find the flow that was inserted to find the table by");
    return **found;
}

Result<std::uint64_t> table_by_own_anchor(WalkPrograms& programs) {
    Result<std::uint64_t> found = failed("");
    const auto search = [&] {
        found = ::unshare(CLONE_NEWNET) == 0 ? table_by_inserted(programs)
                                             : system_error(errno, "a network namespace to find the table from");
    };
    ASSIGN_OR_RETURN(auto thread, start_thread("finding the flow table", search,
                                               [&](Error fault) { found = tl::unexpected(std::move(fault)); }));
    thread.join();
    return found;
}

/// From the first piece of a dump.
Result<std::vector<Flow>> some_flows(const SocketSource& open_socket) {
    ASSIGN_OR_RETURN(auto socket, begin_dump(open_socket, {}));
    std::vector<std::byte> buffer(netlink::kDumpBuffer);
    ASSIGN_OR_RETURN(const auto piece, socket.receive(buffer));
    std::vector<Flow> flows;
    netlink::Message message;
    for (netlink::MessageReader reader{piece}; reader.next(message);) {
        if (!message.is(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW)) continue;
        const auto flow =
            FlowMessage::parse(message.payload).and_then([](const FlowMessage& parsed) { return parsed.decode(); });
        if (flow && can_be_anchor(*flow)) flows.push_back(*flow);
    }
    return flows;
}

Result<std::uint64_t> table_by_live_flow(WalkPrograms& programs, const ScannedTable& table) {
    ASSIGN_OR_RETURN(const auto usage, table.sysctls.usage());
    if (usage.in_use < kDense) return failed("too few flows to find the table by");
    ASSIGN_OR_RETURN(auto flows, some_flows(table.open_socket));
    flows.resize(std::min(flows.size(), kMostAnchors));
    std::optional<std::uint64_t> found;
    RETURN_IF_ERROR(table.where.run([&]() -> Result<void> {
        for (auto flow = flows.begin(); flow != flows.end() && !found; ++flow) {
            ASSIGN_OR_RETURN(found, programs.find_table_by(flow->original));
        }
        return {};
    }));
    if (!found) return failed("no flow to find the table by");
    return *found;
}

Result<walk_place> place_by_anchor(WalkPrograms& programs, const ScannedTable& table) {
    walk_place place{};
    ASSIGN_OR_RETURN(const auto buckets, table.sysctls.buckets());
    place.buckets = static_cast<std::uint32_t>(buckets);
    auto found = table_by_own_anchor(programs);
    if (!found && found.error().kind == ErrorKind::Unprivileged) found = table_by_live_flow(programs, table);
    if (!found) return tl::unexpected(std::move(found.error()));
    place.table = *found;
    return place;
}

}  // namespace

Result<walk_place> find_place(WalkPrograms& programs, const ScannedTable& table) {
    const auto end = std::chrono::steady_clock::now() + kLongestResize;
    for (;;) {
        ASSIGN_OR_RETURN(const auto place, programs.find_table());
        if (!place) return place_by_anchor(programs, table);
        if (place->generation % 2 == 0) return *place;
        if (std::chrono::steady_clock::now() > end) return failed("the table is being resized");
        std::this_thread::sleep_for(1ms);
    }
}

Result<bool> was_resized(const walk_place& place, const ScannedTable& table) {
    if (place.generation_at != 0) return false;
    ASSIGN_OR_RETURN(auto socket, table.open_socket());
    const Candidate any = {own_anchor().original, 0};
    ASSIGN_OR_RETURN(const auto answered, look_up(socket, {&any, 1}));
    static_cast<void>(answered);
    return table.sysctls.buckets().map([&](std::uint64_t buckets) { return buckets != place.buckets; });
}

}  // namespace headgate::conntrack
