// SPDX-License-Identifier: GPL-2.0-or-later
#include "rematch/prober.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "netlink/message_writer.h"
#include "rematch/own_chains.h"
#include "rematch/snapshot.h"
#include "rematch/world.h"

namespace headgate::rematch {
namespace {

using netlink::Bytes;
using netlink::MessageWriter;
using netlink::Socket;
using Clock = std::chrono::steady_clock;

/// Probes between two looks at the reports.
constexpr std::size_t kBurst = 64;

/// Probes between two sentinels: fewer than may wait for a busy CPU (net.core.netdev_max_backlog is 1000).
constexpr std::size_t kProbesPerSentinel = 512;

/// Routes that are remembered, 100 bytes each.
constexpr std::size_t kMostWays = 100'000;

constexpr auto kLongestWait = std::chrono::seconds{10};

Result<void> stay_on_this_cpu() {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &cpus);
    if (::sched_setaffinity(0, sizeof cpus, &cpus) != 0) return system_error(errno, "staying on one CPU");
    return {};
}

Result<FileDescriptor> open_socket(int family, int protocol) {
    FileDescriptor socket{::socket(family, SOCK_RAW | SOCK_CLOEXEC, protocol)};
    if (!socket.is_open()) return system_error(errno, "opening a raw socket (needs CAP_NET_RAW)");
    return socket;
}

std::array<std::uint8_t, 17> key_of(const Address& address) {
    std::array<std::uint8_t, 17> key{};
    key[0] = static_cast<std::uint8_t>(address.family);
    std::ranges::copy(address.octets, key.begin() + 1);
    return key;
}

/// Addresses whose packets are not routed, or go to more than one host.
bool is_not_judged(const Address& address) {
    const auto& octets = address.octets;
    if (address.family == Family::Ipv4) return octets[0] >= 224;
    return octets[0] == 0xff || (octets[0] == 0xfe && (octets[1] & 0xc0U) == 0x80);
}

/// Room for one control message, aligned as the kernel wants it.
template <typename Payload>
class ControlMessage {
  public:
    ControlMessage(msghdr& message, int level, int type, const Payload& payload) {
        message.msg_control = space_.data();
        message.msg_controllen = space_.size();
        cmsghdr* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = level;
        header->cmsg_type = type;
        header->cmsg_len = CMSG_LEN(sizeof payload);
        std::memcpy(CMSG_DATA(header), &payload, sizeof payload);
    }

  private:
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(Payload))> space_{};
};

/// Whether the packet was sent, or dropped by a rule on its way out, which is reported as EPERM.
bool is_sent(ssize_t result) {
    return result >= 0 || errno == EPERM;
}

}  // namespace

Result<Prober> Prober::open(const GatewayNetwork& network, int receive_room) {
    RETURN_IF_ERROR(stay_on_this_cpu());
    ASSIGN_OR_RETURN(auto trace, Socket::open());
    trace.set_receive_room(receive_room);
    RETURN_IF_ERROR(trace.subscribe(NFNLGRP_NFTRACE));
    ASSIGN_OR_RETURN(auto routes, Socket::open_routing());
    Prober prober{std::move(trace), std::move(routes)};
    for (const auto& [index, link] : network.links)
        prober.link_names_[index] = link.name;
    RETURN_IF_ERROR(prober.open_senders());
    RETURN_IF_ERROR(prober.read_tags());
    return prober;
}

Result<void> Prober::open_senders() {
    ASSIGN_OR_RETURN(packets_, open_socket(AF_PACKET, 0));
    ASSIGN_OR_RETURN(raw4_, open_socket(AF_INET, IPPROTO_RAW));
    ASSIGN_OR_RETURN(raw6_, open_socket(AF_INET6, IPPROTO_RAW));
    const int on = 1;
    ::setsockopt(packets_.get(), SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
    if (::setsockopt(raw6_.get(), IPPROTO_IPV6, IPV6_HDRINCL, &on, sizeof on) != 0) {
        return system_error(errno, "writing IPv6 headers");
    }
    return {};
}

Result<void> Prober::read_tags() {
    ASSIGN_OR_RETURN(const auto messages, read_ruleset_messages());
    ASSIGN_OR_RETURN(const auto loaded, parse_ruleset(messages));
    for (const auto& rule : loaded.rules) {
        if (const auto tag = parse_tag(rule.user_data)) tagged_[{rule.family, rule.table}][rule.handle] = *tag;
    }
    return {};
}

/// The result is valid until the next call.
Result<const Prober::Way*> Prober::way_to(const Address& address) {
    if (ways_.size() >= kMostWays) ways_.clear();
    const auto [found, is_new] = ways_.try_emplace(key_of(address));
    auto& way = found->second;
    if (!is_new) return &way;
    MessageWriter request;
    request.begin(RTM_GETROUTE, 0);
    rtmsg header{};
    header.rtm_family = address.family == Family::Ipv4 ? AF_INET : AF_INET6;
    header.rtm_dst_len = static_cast<std::uint8_t>(address_bits(address.family));
    header.rtm_flags = RTM_F_FIB_MATCH;
    request.structure(header);
    request.attribute(RTA_DST, std::as_bytes(std::span{address.octets}).first(address_octets(address.family)));
    request.end();
    RETURN_IF_ERROR(routes_.send(request.bytes()));
    ASSIGN_OR_RETURN(const auto answer, routes_.receive(buffer_));
    netlink::Message message;
    if (!netlink::MessageReader{answer}.next(message) || message.header.nlmsg_type != RTM_NEWROUTE ||
        message.payload.size() < sizeof header) {
        return &way;  // ENETUNREACH and others
    }
    std::memcpy(&header, message.payload.data(), sizeof header);
    way.type = header.rtm_type;
    for_each_output_link(message.payload.subspan(sizeof header), [&](int link) {
        if (std::ranges::find(way.links, link) == way.links.end()) way.links.push_back(link);
    });
    return &way;
}

Result<Loss> Prober::ask(std::span<const Question> questions, std::span<const std::size_t> which,
                         const PassOptions& options, std::span<Observation> seen) {
    seen_ = seen;
    current_ = nullptr;
    last_headers_.reset();
    static_cast<void>(receive());  // what is left of an earlier pass: its cookies mean nothing now
    auto loss = Loss::None;
    bool from_here = false;
    std::size_t sent = 0;
    for (const auto index : which) {
        seen[index] = {};
        RETURN_IF_ERROR(
            send(questions[index], first_cookie_ + static_cast<std::uint32_t>(index), options, seen[index]));
        from_here |= seen[index].way == packet_way::kOutput;
        ++sent;
        if (sent % kBurst == 0 && receive() == Loss::Some) loss = Loss::Some;
        if (sent % kProbesPerSentinel != 0) continue;
        ASSIGN_OR_RETURN(const auto waited, wait_for_sentinel());
        if (waited == Loss::Some) loss = Loss::Some;
    }
    ASSIGN_OR_RETURN(const auto waited, wait_for_sentinel());
    if (waited == Loss::Some) loss = Loss::Some;
    first_cookie_ += static_cast<std::uint32_t>(questions.size());
    if (from_here) RETURN_IF_ERROR(forget_connections());
    return loss;
}

Result<void> Prober::send(const Question& question, std::uint32_t cookie, const PassOptions& options,
                          Observation& seen) {
    const auto& tuple = question.original;
    ASSIGN_OR_RETURN(const auto* const out, way_to(tuple.destination));
    if (is_not_judged(tuple.source) || is_not_judged(tuple.destination) || out->type == RTN_BROADCAST) {
        seen.fault = "multicast, broadcast or link-local";
        return {};
    }
    ASSIGN_OR_RETURN(const auto* const way, way_to(tuple.source));
    seen.inputs = std::max<std::size_t>(way->links.size(), 1);
    if (way->type == RTN_LOCAL) {
        seen.way = packet_way::kOutput;
        seen.inputs = 1;
        if (!send_from_here(question, cookie, options)) seen.fault = "no route to its destination";
        return {};
    }
    seen.way = packet_way::kForward | packet_way::kInput;
    if (way->type != RTN_UNICAST || way->links.empty()) {
        seen.fault = "no route back to its source, so the link by which it came is unknown";
        return {};
    }
    const int link = way->links[std::min(options.input, way->links.size() - 1)];
    if (!send_as_if_received(question, cookie, link, options)) seen.fault = "its first packet cannot be made";
    return {};
}

bool Prober::send_as_if_received(const Question& question, std::uint32_t cookie, int link, const PassOptions& options) {
    std::array<std::uint8_t, kLongestProbe> packet{};
    const auto length = write_probe(question.original, cookie, options.kind, packet);
    if (length == 0) return false;
    const bool marked = options.marks == MarkWorld::Marked && question.mark != 0;
    return send_frame(link, question.original.source.family, std::span{packet}.first(length),
                      marked ? std::optional{question.mark} : std::nullopt);
}

bool Prober::send_frame(int link, Family family, std::span<const std::uint8_t> packet,
                        std::optional<std::uint32_t> mark) {
    const auto [hardware, is_new] = hardware_addresses_.try_emplace(link);
    if (is_new) {
        ifreq request{};
        const auto name = link == kSentinelLink ? std::string{"hg!sentinel"} : link_names_[link];
        std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
        if (::ioctl(raw4_.get(), SIOCGIFHWADDR, &request) != 0) {
            hardware_addresses_.erase(hardware);
            return false;
        }
        std::memcpy(hardware->second.data(), request.ifr_hwaddr.sa_data, hardware->second.size());
    }
    ethhdr ethernet{};
    std::ranges::copy(hardware->second, ethernet.h_dest);
    ethernet.h_source[0] = 2;  // locally administered
    ethernet.h_proto = htons(family == Family::Ipv4 ? ETH_P_IP : ETH_P_IPV6);
    sockaddr_ll target{};
    target.sll_family = AF_PACKET;
    target.sll_ifindex = peer_of(link);
    target.sll_halen = ETH_ALEN;
    // sendmsg() only reads. NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
    auto* const bytes = const_cast<std::uint8_t*>(packet.data());
    std::array<iovec, 2> parts{{{&ethernet, sizeof ethernet}, {bytes, packet.size()}}};
    msghdr message{};
    message.msg_name = &target;
    message.msg_namelen = sizeof target;
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    if (!mark) return ::sendmsg(packets_.get(), &message, 0) >= 0;
    const ControlMessage<std::uint32_t> control{message, SOL_SOCKET, SO_MARK, *mark};
    return ::sendmsg(packets_.get(), &message, 0) >= 0;
}

bool Prober::send_from_here(const Question& question, std::uint32_t cookie, const PassOptions& options) {
    const auto& tuple = question.original;
    std::array<std::uint8_t, kLongestProbe> packet{};
    const auto length = write_probe(tuple, cookie, options.kind, packet);
    if (length == 0) return false;
    iovec part{packet.data(), length};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (tuple.source.family == Family::Ipv4) {
        sockaddr_in target{};
        target.sin_family = AF_INET;
        std::memcpy(&target.sin_addr, tuple.destination.octets.data(), sizeof target.sin_addr);
        message.msg_name = &target;
        message.msg_namelen = sizeof target;
        in_pktinfo from{};
        std::memcpy(&from.ipi_spec_dst, tuple.source.octets.data(), sizeof from.ipi_spec_dst);
        const ControlMessage<in_pktinfo> control{message, IPPROTO_IP, IP_PKTINFO, from};
        return is_sent(::sendmsg(raw4_.get(), &message, 0));
    }
    sockaddr_in6 target{};
    target.sin6_family = AF_INET6;
    std::memcpy(&target.sin6_addr, tuple.destination.octets.data(), sizeof target.sin6_addr);
    message.msg_name = &target;
    message.msg_namelen = sizeof target;
    in6_pktinfo from{};
    std::memcpy(&from.ipi6_addr, tuple.source.octets.data(), sizeof from.ipi6_addr);
    const ControlMessage<in6_pktinfo> control{message, IPPROTO_IPV6, IPV6_PKTINFO, from};
    return is_sent(::sendmsg(raw6_.get(), &message, 0));
}

/// Packets that arrive on one CPU are processed in their order, so when the sentinel is reported, all probes are done.
Result<Loss> Prober::wait_for_sentinel() {
    FlowTuple tuple;
    tuple.source.octets = {192, 0, 2, 1};
    tuple.destination.octets = {192, 0, 2, 2};
    tuple.protocol = Protocol::Udp;
    std::array<std::uint8_t, kLongestProbe> packet{};
    const auto length = write_probe(tuple, ++sentinel_, ProbeKind::Silent, packet);
    if (!send_frame(kSentinelLink, Family::Ipv4, std::span{packet}.first(length), std::nullopt)) {
        return system_error(errno, "sending a sentinel");
    }
    auto loss = Loss::None;
    for (const auto until = Clock::now() + kLongestWait; sentinel_seen_ != sentinel_;) {
        if (receive() == Loss::Some) loss = Loss::Some;
        if (sentinel_seen_ == sentinel_) break;
        if (Clock::now() > until || loss == Loss::Some) return Loss::Some;
        pollfd readable{trace_.fd(), POLLIN, 0};
        ::poll(&readable, 1, 100);
    }
    return loss;
}

Loss Prober::receive() {
    auto loss = Loss::None;
    for (;;) {
        const auto piece = trace_.receive_waiting(buffer_);
        if (!piece) {
            loss = Loss::Some;
            if (piece.error().number != ENOBUFS) return loss;
            continue;
        }
        if (!*piece) return loss;
        netlink::Message message;
        for (netlink::MessageReader reader{**piece}; reader.next(message);) {
            if (const auto event = parse_trace_event(message)) note(*event);
        }
    }
}

Observation* Prober::probed_by(const TraceEvent& event) {
    if (event.has_headers) {
        packet_ = event.packet;
        last_headers_ = event.probe;
        current_ = nullptr;
        if (!event.probe) return nullptr;
        const auto index = event.probe->cookie - first_cookie_;
        if (index < seen_.size()) current_ = &seen_[index];
    }
    return event.packet == packet_ ? current_ : nullptr;
}

void Prober::note(const TraceEvent& event) {
    auto* const seen = probed_by(event);
    const bool own = event.table == kOwnTable;
    if (own && event.chain == kBeginning && event.kind == TraceKind::Rule && event.verdict == NF_DROP) {
        if (event.probe) sentinel_seen_ = event.probe->cookie;
        return;
    }
    if (seen == nullptr) return;
    if (own) {
        const bool end = event.chain == kInputEnd || event.chain == kOutputEnd;
        if (end && event.kind == TraceKind::Rule && event.verdict == NF_DROP && last_headers_) {
            seen->arrived = last_headers_->tuple;
        }
        return;
    }
    if (event.kind == TraceKind::Policy) {
        seen->last_chain = fmt::format("{} {} {}", family_name(event.family), event.table, event.chain);
        if (event.policy != NF_DROP) return;
        seen->drop = Drop{std::nullopt, event.family, std::string{event.table}, std::string{event.chain}};
        return;
    }
    note_rule(event, *seen);
}

void Prober::note_rule(const TraceEvent& event, Observation& seen) {
    const auto table = tagged_.find(std::pair{event.family, std::string{event.table}});
    if (table == tagged_.end()) return;
    const auto found = table->second.find(event.rule_handle);
    if (found == table->second.end()) return;
    const auto& tag = found->second;
    if (tag.tripwire) return seen.tripped.push_back(*tag.tripwire);
    seen.last_chain = fmt::format("{} {} {}", family_name(event.family), event.table, event.chain);
    if (event.verdict != NF_DROP) return;
    seen.drop = Drop{tag.rule, event.family, std::string{event.table}, std::string{event.chain}};
}

/// Connections to this machine itself were confirmed on their way out; the next pass is to find none.
Result<void> Prober::forget_connections() {
    ASSIGN_OR_RETURN(auto socket, Socket::open());
    MessageWriter request;
    request.begin(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, NLM_F_ACK);
    request.netfilter(AF_UNSPEC);
    request.end();
    RETURN_IF_ERROR(socket.send(request.bytes()));
    ASSIGN_OR_RETURN(const auto answer, socket.receive(buffer_));
    netlink::Message message;
    if (netlink::MessageReader{answer}.next(message) && message.error() != 0) {
        return system_error(message.error(), "emptying the judge's flow table");
    }
    return {};
}

}  // namespace headgate::rematch
