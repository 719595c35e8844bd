// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/kernel_flow_table.h"

#include "conntrack/flow_changes.h"
#include "conntrack/flow_scan.h"

namespace headgate::conntrack {

Result<std::unique_ptr<KernelFlowTable>> KernelFlowTable::open(netlink::NetworkNamespace where,
                                                               std::shared_ptr<HashWalk> walk) {
    ASSIGN_OR_RETURN(auto sysctls, where.run(TableSysctls::open));
    return std::unique_ptr<KernelFlowTable>{new KernelFlowTable{std::move(where), std::move(sysctls), std::move(walk)}};
}

Result<netlink::Socket> KernelFlowTable::open_socket() const {
    return namespace_.run([] { return netlink::Socket::open(); });
}

Result<ScanReport> KernelFlowTable::scan(const FlowQuery& query, const Moment& moment, ScanListener& listener) {
    const SocketSource source = [this] { return open_socket(); };
    return run_scan({namespace_, source, sysctls_}, walk_.get(), query, moment, listener);
}

Result<FlowDeleter*> KernelFlowTable::deleter() {
    if (!deleter_) {
        ASSIGN_OR_RETURN(auto socket, namespace_.run([] { return netlink::Socket::open(kFlushPortBlock); }));
        deleter_.emplace(std::move(socket));
    }
    return &*deleter_;
}

Result<void> KernelFlowTable::look_up(std::span<const FlowRow> rows, const PresenceSink& found) {
    return deleter().and_then([&](FlowDeleter* deleter) { return deleter->look_up(rows, found); });
}

Result<void> KernelFlowTable::remove(std::span<const FlowRow> rows, const Confirmation& confirm,
                                     const EndingSink& ended) {
    return deleter().map([&](FlowDeleter* deleter) { deleter->remove(rows, confirm, ended); });
}

Result<void> KernelFlowTable::insert(std::span<const Flow> flows, const InsertionSink& inserted) {
    ASSIGN_OR_RETURN(auto socket, open_socket());
    insert_flows(std::move(socket), flows, inserted);
    return {};
}

Result<TableUsage> KernelFlowTable::usage() {
    return sysctls_.usage();
}

Result<bool> KernelFlowTable::tcp_loose() {
    return sysctls_.tcp_loose();
}

}  // namespace headgate::conntrack
