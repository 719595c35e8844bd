// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/kernel_flow_table.h"

#include "conntrack/flow_inserter.h"
#include "conntrack/flow_scan.h"
#include "conntrack/flush_port.h"

namespace headgate::conntrack {
namespace {

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
    return run_scan([this] { return open_socket(); }, sysctls_, query, moment, listener);
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

Result<void> KernelFlowTable::insert(std::span<const Flow> flows, const InsertionSink& told) {
    ASSIGN_OR_RETURN(auto socket, open_socket());
    FlowInserter{std::move(socket)}.insert(flows, told);
    return {};
}

Result<TableUsage> KernelFlowTable::usage() {
    return sysctls_.usage();
}

Result<bool> KernelFlowTable::tcp_loose() {
    return sysctls_.tcp_loose();
}

}  // namespace headgate::conntrack
