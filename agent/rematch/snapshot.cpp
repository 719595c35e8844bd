// SPDX-License-Identifier: GPL-2.0-or-later
#include "rematch/snapshot.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/nexthop.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <string_view>

#include "files/file_descriptor.h"
#include "netlink/message_writer.h"
#include "netlink/socket.h"

namespace headgate::rematch {
namespace {

using netlink::Bytes;
using netlink::MessageWriter;
using netlink::Socket;

constexpr std::uint16_t nftables_message(int message) {
    return static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message);
}

/// Sends a request for a dump and appends its messages to `messages`. Interrupted (NLM_F_DUMP_INTR), it is
/// inconsistent.
Result<void> append_dump(Socket& socket, MessageWriter& request, ByteString& messages) {
    request.end();
    RETURN_IF_ERROR(socket.send(request.bytes()));
    std::vector<std::byte> buffer(netlink::kDumpBuffer);
    for (;;) {
        ASSIGN_OR_RETURN(const auto piece, socket.receive(buffer));
        Bytes rest = piece;
        netlink::Message message;
        for (netlink::MessageReader reader{piece}; reader.next(message);) {
            if ((message.header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) return system_error(EAGAIN, "a dump");
            if (message.header.nlmsg_type == NLMSG_DONE || message.header.nlmsg_type == NLMSG_ERROR) {
                if (message.error() != 0) return system_error(message.error(), "reading the gateway's state");
                return {};
            }
            nlmsghdr header{};
            const Bytes whole = netlink::split_off_item(rest, header);
            messages.insert(messages.end(), whole.begin(), whole.end());
            messages.resize((messages.size() + 3) & ~std::size_t{3});
        }
    }
}

Result<void> append_listing(Socket& socket, int message, ByteString& messages) {
    MessageWriter request;
    request.begin(nftables_message(message), NLM_F_DUMP);
    request.netfilter(NFPROTO_UNSPEC);
    return append_dump(socket, request, messages);
}

Result<void> append_elements(Socket& socket, const SetBytecode& set, ByteString& messages) {
    MessageWriter request;
    request.begin(nftables_message(NFT_MSG_GETSETELEM), NLM_F_DUMP);
    request.netfilter(set.family);
    request.text(NFTA_SET_ELEM_LIST_TABLE, set.table);
    request.text(NFTA_SET_ELEM_LIST_SET, set.name);
    return append_dump(socket, request, messages);
}

Result<std::uint32_t> ask_generation(Socket& socket) {
    MessageWriter request;
    request.begin(nftables_message(NFT_MSG_GETGEN), 0);
    request.netfilter(NFPROTO_UNSPEC);
    request.end();
    RETURN_IF_ERROR(socket.send(request.bytes()));
    std::vector<std::byte> buffer(netlink::kDumpBuffer);
    ASSIGN_OR_RETURN(const auto piece, socket.receive(buffer));
    netlink::Message message;
    if (!netlink::MessageReader{piece}.next(message)) return failed("nf_tables did not answer");
    if (message.header.nlmsg_type == NLMSG_ERROR) {
        if (message.error() == EPERM) return system_error(EPERM, "reading the ruleset (needs CAP_NET_ADMIN)");
        return make_error(ErrorKind::Missing, "the kernel has no nf_tables, so there is no ruleset to judge by");
    }
    if (message.payload.size() < sizeof(nfgenmsg)) return failed("nf_tables' answer is cut short");
    return number_in(message.payload.subspan(sizeof(nfgenmsg)), NFTA_GEN_ID);
}

/// All parts of the ruleset; an error with EAGAIN if it changed meanwhile.
Result<ByteString> read_parts(Socket& socket) {
    ByteString messages;
    for (const int part :
         {NFT_MSG_GETTABLE, NFT_MSG_GETCHAIN, NFT_MSG_GETOBJ, NFT_MSG_GETFLOWTABLE, NFT_MSG_GETSET, NFT_MSG_GETRULE}) {
        RETURN_IF_ERROR(append_listing(socket, part, messages));
    }
    ASSIGN_OR_RETURN(const auto parsed, parse_ruleset(messages));
    for (const auto& set : parsed.sets)
        RETURN_IF_ERROR(append_elements(socket, set, messages));
    return messages;
}

struct VersionedRuleset {
    std::uint32_t generation = 0;
    ByteString messages;
};

Result<VersionedRuleset> read_ruleset() {
    ASSIGN_OR_RETURN(auto socket, Socket::open());
    constexpr int kAttempts = 20;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        ASSIGN_OR_RETURN(const auto before, ask_generation(socket));
        auto messages = read_parts(socket);
        // A part that vanished during the dump is reported as ENOENT; an interrupted dump leaves answers behind.
        ASSIGN_OR_RETURN(socket, Socket::open());
        ASSIGN_OR_RETURN(const auto after, ask_generation(socket));
        if (before == after && messages) return VersionedRuleset{before, std::move(*messages)};
        if (before == after && messages.error().number != EAGAIN) return tl::unexpected(std::move(messages.error()));
    }
    return busy("the ruleset changed each of the {} times that it was read; try again when it is at rest", kAttempts);
}

template <typename Header>
Result<void> append_routing(Socket& socket, std::uint16_t type, ByteString& messages) {
    MessageWriter request;
    request.begin(type, NLM_F_DUMP);
    request.structure(Header{});
    return append_dump(socket, request, messages);
}

Result<ByteString> read_routing() {
    ASSIGN_OR_RETURN(auto socket, Socket::open_routing());
    ByteString messages;
    RETURN_IF_ERROR(append_routing<ifinfomsg>(socket, RTM_GETLINK, messages));
    RETURN_IF_ERROR(append_routing<ifaddrmsg>(socket, RTM_GETADDR, messages));
    RETURN_IF_ERROR(append_routing<nhmsg>(socket, RTM_GETNEXTHOP, messages));
    RETURN_IF_ERROR(append_routing<rtmsg>(socket, RTM_GETROUTE, messages));
    RETURN_IF_ERROR(append_routing<fib_rule_hdr>(socket, RTM_GETRULE, messages));
    RETURN_IF_ERROR(append_routing<tcmsg>(socket, RTM_GETQDISC, messages));
    return messages;
}

Result<ByteString> read_routing_at_rest() {
    constexpr int kAttempts = 20;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        auto messages = read_routing();
        if (messages || messages.error().number != EAGAIN) return messages;
    }
    return busy("links or routes changed each of the {} times that they were read", kAttempts);
}

/// A short file of /proc, without the newline at its end.
std::optional<std::string> read_text(const std::string& path) {
    const FileDescriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file.is_open()) return std::nullopt;
    std::string text(256, '\0');
    const auto size = ::read(file.get(), text.data(), text.size());
    if (size < 0) return std::nullopt;
    text.resize(static_cast<std::size_t>(size));
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    return text;
}

/// What a packet's way depends on: forwarding above all.
std::vector<std::string> read_sysctls(const std::vector<std::string>& links) {
    std::vector<std::string> sysctls;
    const auto add = [&](const std::string& path) {
        if (const auto value = read_text("/proc/sys/net/" + path)) sysctls.push_back(path + '=' + *value);
    };
    for (const auto& link : links) {
        for (const auto* key :
             {"forwarding", "accept_local", "route_localnet", "src_valid_mark", "bc_forwarding", "rp_filter"})
            add(fmt::format("ipv4/conf/{}/{}", link, key));
        for (const auto* key : {"disable_ipv6", "forwarding"})
            add(fmt::format("ipv6/conf/{}/{}", link, key));
    }
    for (const auto* path :
         {"ipv4/fib_multipath_hash_policy", "ipv6/fib_multipath_hash_policy", "ipv4/ip_local_port_range",
          "bridge/bridge-nf-call-iptables", "bridge/bridge-nf-call-ip6tables"})
        add(path);
    return sysctls;
}

struct LinkFacts {
    std::vector<std::string> names{"all", "default"};
    std::vector<std::string> warnings;
};

/// Names of links, and what acts on their packets besides nf_tables.
LinkFacts examine_links(Bytes routing) {
    LinkFacts facts;
    std::map<int, std::string> names;
    netlink::Message message;
    for (netlink::MessageReader reader{routing}; reader.next(message);) {
        if (message.header.nlmsg_type == RTM_NEWLINK && message.payload.size() >= sizeof(ifinfomsg)) {
            ifinfomsg header{};
            std::memcpy(&header, message.payload.data(), sizeof header);
            const Bytes attributes = message.payload.subspan(sizeof header);
            const auto name = text_in(attributes, IFLA_IFNAME);
            names[header.ifi_index] = name;
            facts.names.push_back(name);
            const Bytes attached = bytes_in(bytes_in(attributes, IFLA_XDP), IFLA_XDP_ATTACHED);
            if (!attached.empty() && attached[0] != std::byte{XDP_ATTACHED_NONE}) {
                facts.warnings.push_back(fmt::format("an XDP program on {} is not judged", name));
            }
        }
        if (message.header.nlmsg_type == RTM_NEWQDISC && message.payload.size() >= sizeof(tcmsg)) {
            tcmsg header{};
            std::memcpy(&header, message.payload.data(), sizeof header);
            const auto kind = text_in(message.payload.subspan(sizeof header), TCA_KIND);
            if (kind == "clsact" || kind == "ingress") {
                facts.warnings.push_back(fmt::format("tc filters on {} are not judged", names[header.tcm_ifindex]));
            }
        }
    }
    return facts;
}

}  // namespace

Result<std::uint32_t> read_generation() {
    ASSIGN_OR_RETURN(auto socket, Socket::open());
    return ask_generation(socket);
}

Result<ByteString> read_ruleset_messages() {
    ASSIGN_OR_RETURN(auto ruleset, read_ruleset());
    return std::move(ruleset.messages);
}

Result<Snapshot> read_snapshot() {
    Snapshot snapshot;
    ASSIGN_OR_RETURN(snapshot.routing, read_routing_at_rest());
    auto links = examine_links(snapshot.routing);
    snapshot.sysctls = read_sysctls(links.names);
    snapshot.warnings = std::move(links.warnings);
    // Tables of the older iptables are in no listing of nf_tables, and nft's are not in these files (x_tables.c).
    for (const auto* file : {"/proc/thread-self/net/ip_tables_names", "/proc/thread-self/net/ip6_tables_names"})
        snapshot.legacy_tables += read_text(file).value_or("");
    ASSIGN_OR_RETURN(auto ruleset, read_ruleset());
    snapshot.generation = ruleset.generation;
    snapshot.nftables = std::move(ruleset.messages);
    return snapshot;
}

}  // namespace headgate::rematch
