// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/destroy_events.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <sstream>
#include <string>

#include "headgate/clock.h"

#include "conntrack/flow_changes.h"

namespace headgate::conntrack {
namespace {

/// An event occupies 1.3 KiB (its skb's truesize), and the kernel doubles the number (sock.c, __sock_set_rcvbuf): room
/// for a hundred thousand flows that end at once, or for a quarter of a second without a receive while the kernel
/// deletes at full speed. Memory is used only while events are queued.
constexpr int kReceiveRoom = 64 << 20;

/// An IPv6 flow's event with all attributes has about 400 bytes (nf_conntrack_netlink.c, ctnetlink_conntrack_event).
constexpr std::size_t kSlotSize = 1024;
constexpr std::size_t kSlots = 64;

/// A block with room for fewer events counts as full, which saves system calls for the last few.
constexpr std::size_t kFewestSlots = 16;

constexpr std::uint32_t kDrop = 0;
constexpr std::uint32_t kKeep = UINT32_MAX;

constexpr std::uint32_t verdict(bool wanted) {
    return wanted ? kKeep : kDrop;
}

/// Filters by the header of the one message in an event.
Result<void> keep_only(netlink::Socket& socket, WantedEnds wanted) {
    std::array<sock_filter, 9> program{{
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(nlmsghdr, nlmsg_type)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(NFNL_SUBSYS_CTNETLINK << 8U | IPCTNL_MSG_CT_DELETE), 0, 6),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(nlmsghdr, nlmsg_pid)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, htonl(kFlushPortMask)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(kFlushPorts), 2, 1),
        BPF_STMT(BPF_RET | BPF_K, verdict(wanted.by_kernel)),
        BPF_STMT(BPF_RET | BPF_K, verdict(wanted.by_others)),
        BPF_STMT(BPF_RET | BPF_K, kDrop),
    }};
    return socket.filter(program);
}

/// Attaches the filter before subscribing, so that no unwanted event is ever queued.
Result<netlink::Socket> open_listener(WantedEnds wanted) {
    ASSIGN_OR_RETURN(auto socket, netlink::Socket::open());
    socket.set_receive_room(kReceiveRoom);
    RETURN_IF_ERROR(socket.only_count_drops().and_then([&] { return keep_only(socket, wanted); }).and_then([&] {
        return socket.subscribe(NFNLGRP_CONNTRACK_DESTROY);
    }));
    return socket;
}

/// Whether a line of /proc/net/netlink is of a socket in the group of DESTROY events (af_netlink.c, netlink_seq_show).
bool is_of_listener(std::istringstream line) {
    std::string address;
    std::string port_id;
    int protocol = 0;
    std::uint32_t groups = 0;
    line >> address >> protocol >> port_id >> std::hex >> groups;
    return protocol == NETLINK_NETFILTER && (groups >> (NFNLGRP_CONNTRACK_DESTROY - 1) & 1U) != 0;
}

}  // namespace

bool are_ends_heard(const netlink::NetworkNamespace& where) {
    const auto heard = where.run([]() -> Result<bool> {
        std::ifstream sockets{"/proc/thread-self/net/netlink"};
        std::string line;
        if (!std::getline(sockets, line)) return failed("no list of netlink sockets");  // its heading
        while (std::getline(sockets, line))
            if (is_of_listener(std::istringstream{line})) return true;
        return false;
    });
    return heard.value_or(true);
}

/// Receive buffers for recvmmsg(2), one slot per event.
struct DestroyEvents::Slots {
    Slots() {
        for (std::size_t i = 0; i < kSlots; ++i) {
            pieces[i] = {room.data() + i * kSlotSize, kSlotSize};
            headers[i].msg_hdr.msg_name = &senders[i];
            headers[i].msg_hdr.msg_iov = &pieces[i];
            headers[i].msg_hdr.msg_iovlen = 1;
        }
    }

    /// Receives the queued events, at most `most`. Returns -1 and sets errno on failure.
    int receive(int fd, std::size_t most) {
        for (std::size_t i = 0; i < most; ++i)
            headers[i].msg_hdr.msg_namelen = sizeof(sockaddr_nl);
        int count = 0;
        do {
            count = ::recvmmsg(fd, headers.data(), static_cast<unsigned>(most), MSG_DONTWAIT, nullptr);
        } while (count < 0 && errno == EINTR);
        return count;
    }

    /// The event in a slot; empty if it must be ignored: sent by another process, which may send to this port, or
    /// truncated.
    netlink::Bytes event(std::size_t index) {
        if (senders[index].nl_pid != 0) return {};
        if ((headers[index].msg_hdr.msg_flags & MSG_TRUNC) != 0) {
            ++cut_short;
            return {};
        }
        return {room.data() + index * kSlotSize, headers[index].msg_len};
    }

    std::array<std::byte, kSlots * kSlotSize> room{};
    std::array<sockaddr_nl, kSlots> senders{};
    std::array<iovec, kSlots> pieces{};
    std::array<mmsghdr, kSlots> headers{};
    std::uint64_t cut_short = 0;
};

DestroyEvents::DestroyEvents(netlink::Socket socket, std::unique_ptr<Slots> slots)
    : socket_(std::move(socket)), slots_(std::move(slots)) {}

DestroyEvents::~DestroyEvents() = default;
DestroyEvents::DestroyEvents(DestroyEvents&& other) noexcept = default;
DestroyEvents& DestroyEvents::operator=(DestroyEvents&& other) noexcept = default;

Result<DestroyEvents> DestroyEvents::open(const netlink::NetworkNamespace& where, WantedEnds wanted) {
    ASSIGN_OR_RETURN(auto socket, where.run([&] { return open_listener(wanted); }));
    return DestroyEvents{std::move(socket), std::make_unique<Slots>()};
}

Result<void> DestroyEvents::want(WantedEnds wanted) {
    return keep_only(socket_, wanted);
}

void DestroyEvents::stop_listening() noexcept {
    socket_.unsubscribe(NFNLGRP_CONNTRACK_DESTROY);
}

Result<std::unique_ptr<EventBlock>> DestroyEvents::receive() {
    std::unique_ptr<EventBlock> block;
    std::size_t room = EventBlock::kCapacity / kSlotSize;
    while (room >= kFewestSlots) {
        const int received = slots_->receive(fd(), std::min(room, kSlots));
        if (received < 0 && (errno == EAGAIN || block)) break;  // the next call reports the error
        if (received < 0) return system_error(errno, "receiving the ends of flows");
        if (!block) {
            block = std::make_unique<EventBlock>(kSystemClock.now());
        }
        for (std::size_t i = 0; i < static_cast<std::size_t>(received); ++i) {
            const auto event = slots_->event(i);
            if (!event.empty()) block->append(event);
        }
        if (static_cast<std::size_t>(received) < std::min(room, kSlots)) break;
        room = (EventBlock::kCapacity - block->bytes()) / kSlotSize;
    }
    return block;
}

std::uint64_t DestroyEvents::new_losses() {
    const std::uint32_t drops = socket_.drops();
    const std::uint32_t unseen = drops - drops_counted_;  // modulo 2^32, like the kernel's counter
    drops_counted_ = drops;
    return unseen + std::exchange(slots_->cut_short, 0);
}

}  // namespace headgate::conntrack
