// SPDX-License-Identifier: GPL-2.0-or-later
// The real FlowTable: the kernel's conntrack in one network namespace, over ctnetlink.
#pragma once

#include <memory>
#include <optional>

#include "headgate/flow_table.h"

#include "conntrack/fast_paths.h"
#include "conntrack/flow_changes.h"
#include "conntrack/table_sysctls.h"
#include "netlink/network_namespace.h"
#include "netlink/socket.h"

// The parts of this room: ctnetlink_requests.h builds requests, flow_message.h decodes messages. scan_plan.h decides
// how to search (pure), flow_scan.h carries it out. Its rows come from a source (scan_source.h): dump_source.h, whose
// dump_stream.h reads ahead on threads, or lookup_source.h, which asks for what the plan names, or for what a walk of
// the hash does not know itself (walk/hash_walk.h, whose programs are in bpf/). row_matcher.h turns messages into rows,
// each of them once. flow_changes.h ends flows and learns how they ended, and puts flows back; expiry/flow_expiry.h
// ends them faster, by a program in bpf/, too. destroy_events.h receives the ends of all others, which the kernel
// separates by the port that deleted the flow, and expiry/expired_flows.h by their identity. table_sysctls.h reads and
// sets what conntrack records.

namespace headgate::conntrack {

class KernelFlowTable final : public FlowTable {
  public:
    /// Needs CAP_NET_ADMIN in that namespace; without it the operations fail, but not open().
    [[nodiscard]] static Result<std::unique_ptr<KernelFlowTable>> open(netlink::NetworkNamespace where,
                                                                       FastPaths fast = {});

    Result<ScanReport> scan(const FlowQuery& query, const Moment& moment, ScanListener& listener) override;
    void forgo_fast_scans() override { fast_.walk.reset(); }
    Result<void> look_up(std::span<const FlowRow> rows, const PresenceSink& found) override;
    Result<void> remove(std::span<const FlowRow> rows, const Confirmation& confirm, const EndingSink& ended) override;
    Result<void> insert(std::span<const Flow> flows, const InsertionSink& inserted) override;
    Result<TableUsage> usage() override;
    Result<bool> tcp_loose() override;

  private:
    KernelFlowTable(netlink::NetworkNamespace where, TableSysctls sysctls, FastPaths fast)
        : namespace_(std::move(where)), sysctls_(std::move(sysctls)), fast_(std::move(fast)) {}

    [[nodiscard]] Result<netlink::Socket> open_socket() const;
    [[nodiscard]] Result<FlowDeleter*> deleter();

    netlink::NetworkNamespace namespace_;
    TableSysctls sysctls_;
    FastPaths fast_;
    std::optional<FlowDeleter> deleter_;  ///< created on first use
};

}  // namespace headgate::conntrack
