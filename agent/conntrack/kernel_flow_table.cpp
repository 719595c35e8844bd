// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/kernel_flow_table.h"

#include <algorithm>
#include <array>

#include "conntrack/ctnetlink_requests.h"
#include "conntrack/flow_deleter.h"
#include "conntrack/flow_scan.h"
#include "conntrack/flush_port.h"
#include "netlink/messages.h"

namespace headgate::conntrack {
namespace {

constexpr std::size_t kInsertsPerBatch = 128;
constexpr int kInsertRoom = 1024 * 1024;

Result<void> insert_batch(netlink::Socket& socket, std::span<const Flow> flows, RequestBatch& batch) {
    batch.clear();
    for (std::size_t i = 0; i < flows.size(); ++i)
        batch.add_insert(flows[i], static_cast<std::uint32_t>(i));
    batch.acknowledge_last();
    RETURN_IF_ERROR(socket.send(batch.bytes()));
    std::array<std::byte, 4096> buffer{};
    for (;;) {
        ASSIGN_OR_RETURN(const auto piece, socket.receive_waiting(buffer));
        if (!piece) return {};
        netlink::Message message;
        for (netlink::MessageReader reader{*piece}; reader.next(message);) {
            if (const int number = message.error(); number != 0) return system_error(number, "inserting a flow");
        }
    }
}

template <typename Open>
Result<netlink::Socket> open_inside(const netlink::NetworkNamespace& where, Open open) {
    Result<netlink::Socket> socket = failed("no socket");
    RETURN_IF_ERROR(where.run([&]() -> Result<void> {
        socket = open();
        return {};
    }));
    return socket;
}

}  // namespace

Result<std::unique_ptr<KernelFlowTable>> KernelFlowTable::open(netlink::NetworkNamespace where) {
    std::unique_ptr<KernelFlowTable> table;
    RETURN_IF_ERROR(where.run([&]() -> Result<void> {
        ASSIGN_OR_RETURN(auto sysctls, TableSysctls::open());
        table.reset(new KernelFlowTable{{}, std::move(sysctls)});
        return {};
    }));
    table->namespace_ = std::move(where);
    return table;
}

Result<netlink::Socket> KernelFlowTable::open_socket() const {
    return open_inside(namespace_, [] { return netlink::Socket::open(); });
}

Result<netlink::Socket> KernelFlowTable::open_socket_for_deletes() const {
    return open_inside(namespace_, [] { return netlink::Socket::open(kFlushPortBlock); });
}

Result<ScanReport> KernelFlowTable::scan(const FlowQuery& query, const Moment& moment, ScanListener& listener) {
    return FlowScan{[this] { return open_socket(); }, sysctls_, query, moment, listener}.run();
}

Result<FlowDeleter*> KernelFlowTable::deleter() {
    if (!deleter_) {
        ASSIGN_OR_RETURN(auto socket, open_socket_for_deletes());
        deleter_.emplace(std::move(socket));
    }
    return &*deleter_;
}

Result<void> KernelFlowTable::look_up(std::span<const FlowRow> rows, const PresenceSink& found) {
    return deleter().and_then([&](FlowDeleter* deleter) { return deleter->look_up(rows, found); });
}

Result<void> KernelFlowTable::remove(std::span<const FlowRow> rows, const EndingSink& ended) {
    return deleter().map([&](FlowDeleter* deleter) { deleter->remove(rows, ended); });
}

Result<void> KernelFlowTable::insert(std::span<const Flow> flows) {
    ASSIGN_OR_RETURN(auto socket, open_socket());
    socket.set_receive_room(kInsertRoom);
    RequestBatch batch;
    while (!flows.empty()) {
        const auto now = flows.first(std::min(flows.size(), kInsertsPerBatch));
        RETURN_IF_ERROR(insert_batch(socket, now, batch));
        flows = flows.subspan(now.size());
    }
    return {};
}

Result<TableUsage> KernelFlowTable::usage() {
    return sysctls_.usage();
}

Result<bool> KernelFlowTable::tcp_loose() {
    return sysctls_.tcp_loose();
}

}  // namespace headgate::conntrack
