// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/kernel_flow_table.h"

#include <algorithm>
#include <vector>

#include "conntrack/expiry/flow_expiry.h"
#include "conntrack/flow_changes.h"
#include "conntrack/flow_scan.h"

namespace headgate::conntrack {

Result<std::unique_ptr<KernelFlowTable>> KernelFlowTable::open(netlink::NetworkNamespace where, FastPaths fast) {
    ASSIGN_OR_RETURN(auto sysctls, where.run(TableSysctls::open));
    return std::unique_ptr<KernelFlowTable>{new KernelFlowTable{std::move(where), std::move(sysctls), std::move(fast)}};
}

Result<netlink::Socket> KernelFlowTable::open_socket() const {
    return namespace_.run([] { return netlink::Socket::open(); });
}

Result<ScanReport> KernelFlowTable::scan(const FlowQuery& query, const Moment& moment, ScanListener& listener) {
    const SocketSource source = [this] { return open_socket(); };
    return run_scan({namespace_, source, sysctls_}, fast_.walk.get(), query, moment, listener);
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
    ASSIGN_OR_RETURN(auto* const deleter, this->deleter());
    std::vector<FlowRow> endings;
    for (const auto& row : rows)
        endings.push_back({row.flow});
    if (fast_.expiry) fast_.expiry->expire(namespace_, endings, confirm);
    std::vector<FlowRow> left;
    const auto has_no_ending = [](const FlowRow& row) { return !row.outcome; };
    std::ranges::copy_if(endings, std::back_inserter(left), has_no_ending);
    auto next = endings.begin();
    deleter->remove(left, confirm, [&](const FlowRow& ending) {
        next = std::find_if(next, endings.end(), has_no_ending);
        *next = ending;
    });
    std::ranges::for_each(endings, ended);
    return {};
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
