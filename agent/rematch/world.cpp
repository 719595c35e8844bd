// SPDX-License-Identifier: GPL-2.0-or-later
#include "rematch/world.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <string_view>

#include "files/file_descriptor.h"
#include "netlink/message_writer.h"
#include "netlink/socket.h"

namespace headgate::rematch {
namespace {

using netlink::Attribute;
using netlink::Bytes;
using netlink::for_each_attribute;
using netlink::MessageWriter;
using netlink::Socket;

constexpr int kLoopback = 1;
constexpr unsigned kNoArp = IFF_NOARP;

/// Requests are sent in pieces of this size: one piece holds the kernel's lock for links and routes (RTNL) at a time.
constexpr std::size_t kPiece = 64 * 1024;

bool write_sysctl(const std::string& path, std::string_view value) {
    const FileDescriptor file{::open(("/proc/sys/net/" + path).c_str(), O_WRONLY | O_CLOEXEC)};
    return file.is_open() && ::write(file.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size());
}

template <typename Header>
Header header_of(const ByteString& message) {
    Header header{};
    std::memcpy(&header, message.data(), std::min(sizeof header, message.size()));
    return header;
}

template <typename Header>
Bytes attributes_after(const ByteString& message) {
    return Bytes{message}.subspan(std::min(sizeof(Header), message.size()));
}

std::uint32_t native_in(Bytes attributes, std::uint16_t type) {
    std::uint32_t value = 0;
    const Bytes payload = bytes_in(attributes, type);
    if (payload.size() >= sizeof value) std::memcpy(&value, payload.data(), sizeof value);
    return value;
}

std::string address_text(int family, Bytes address) {
    char text[INET6_ADDRSTRLEN] = "default";
    const std::size_t size = family == AF_INET ? 4 : 16;
    if (address.size() == size) ::inet_ntop(family, address.data(), text, sizeof text);
    return text;
}

class WorldBuilder {
  public:
    WorldBuilder(const GatewayNetwork& network, const std::set<std::string>& named, Socket socket)
        : network_(network), named_(named), socket_(std::move(socket)) {
        socket_.set_send_room(4 << 20);
        socket_.set_receive_room(4 << 20);
    }

    [[nodiscard]] Result<WorldFaults> build() {
        set_defaults();
        RETURN_IF_ERROR(add_links());
        RETURN_IF_ERROR(bring_up());
        copy_sysctls();
        RETURN_IF_ERROR(add_addresses());
        RETURN_IF_ERROR(add_nexthops());
        RETURN_IF_ERROR(add_routes());
        RETURN_IF_ERROR(add_rules());
        return std::move(faults_);
    }

  private:
    using Refused = std::vector<std::pair<std::size_t, int>>;  ///< index of the request, and errno

    /// No packets of the world's own, and none dropped for another reason than the rules.
    static void set_defaults() {
        for (const auto* scope : {"all", "default"}) {
            for (const auto* setting : {"accept_ra=0", "accept_dad=0", "router_solicitations=0", "autoconf=0",
                                        "addr_gen_mode=1", "disable_ipv6=0"}) {
                set(fmt::format("ipv6/conf/{}/", scope), setting);
            }
            for (const auto* setting : {"rp_filter=0", "log_martians=0", "arp_ignore=8"})
                set(fmt::format("ipv4/conf/{}/", scope), setting);
        }
        for (const auto* setting : {"nf_conntrack_checksum=0", "nf_conntrack_tcp_loose=1", "nf_conntrack_acct=0",
                                    "nf_conntrack_timestamp=0", "nf_conntrack_events=0"}) {
            set("netfilter/", setting);
        }
    }

    static void set(const std::string& folder, std::string_view setting) {
        const auto equals = setting.find('=');
        write_sysctl(folder + std::string{setting.substr(0, equals)}, setting.substr(equals + 1));
    }

    [[nodiscard]] bool is_needed(const Link& link) const {
        return link.index != kLoopback && (link.routes || named_.contains(link.name));
    }

    void write_link(const Link& link) {
        constexpr std::uint32_t kSmallestMtu = 1280;  // of IPv6
        const auto mtu = std::clamp(link.mtu, kSmallestMtu, std::uint32_t{65535});
        ifinfomsg header{};
        header.ifi_index = link.index;
        writer_.structure(header);
        writer_.text(IFLA_IFNAME, link.name);
        writer_.native(IFLA_MTU, mtu);
        if (link.group != 0) writer_.native(IFLA_GROUP, link.group);
        const bool is_ethernet = link.hardware_address.size() == 6 &&
                                 (link.hardware_address[0] & std::byte{1}) == std::byte{0} &&
                                 std::ranges::any_of(link.hardware_address, [](auto b) { return b != std::byte{0}; });
        if (is_ethernet) writer_.attribute(IFLA_ADDRESS, link.hardware_address);
        writer_.nest(IFLA_LINKINFO, [&] {
            writer_.text(IFLA_INFO_KIND, "veth");
            writer_.nest(IFLA_INFO_DATA, [&] {
                writer_.nest(VETH_INFO_PEER, [&] {
                    ifinfomsg peer{};
                    peer.ifi_index = peer_of(link.index);
                    writer_.structure(peer);
                    writer_.text(IFLA_IFNAME, fmt::format("hg!{}", link.index));
                    writer_.native(IFLA_MTU, mtu);
                });
            });
        });
    }

    [[nodiscard]] Result<void> add_links() {
        for (const auto& [index, link] : network_.links) {
            if (is_needed(link)) made_.push_back(link);
        }
        Link sentinel;
        sentinel.index = kSentinelLink;
        sentinel.name = "hg!sentinel";
        sentinel.is_up = true;
        made_.push_back(sentinel);
        ASSIGN_OR_RETURN(const auto refused, send_all(made_.size(), [&](std::size_t i) {
                             writer_.begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, static_cast<std::uint32_t>(i));
                             write_link(made_[i]);
                             writer_.end();
                             return true;
                         }));
        for (const auto& [index, error] : refused) {
            if (made_[index].index == kSentinelLink) return system_error(error, "the judge's links");
            faults_.push_back(fmt::format("link {} cannot be copied: {}", made_[index].name, std::strerror(error)));
        }
        return {};
    }

    void write_up(int index, unsigned flags, std::uint32_t group = 0) {
        writer_.begin(RTM_NEWLINK, 0);
        ifinfomsg header{};
        header.ifi_index = index;
        header.ifi_flags = flags;
        header.ifi_change = flags;
        writer_.structure(header);
        if (group != 0) writer_.native(IFLA_GROUP, group);
        writer_.end();
    }

    [[nodiscard]] Result<void> bring_up() {
        const auto loopback = network_.links.find(kLoopback);
        const bool has_loopback = loopback != network_.links.end() && loopback->second.is_up;
        ASSIGN_OR_RETURN(const auto refused, send_all(made_.size() + 1, [&](std::size_t i) {
                             if (i == made_.size()) {
                                 if (has_loopback) write_up(kLoopback, IFF_UP, loopback->second.group);
                                 return has_loopback;
                             }
                             write_up(peer_of(made_[i].index), IFF_UP | kNoArp);
                             if (made_[i].is_up) write_up(made_[i].index, IFF_UP | kNoArp);
                             return true;
                         }));
        if (!refused.empty()) return system_error(refused.front().second, "bringing the judge's links up");
        return {};
    }

    /// Those of all links first, which change those of each.
    void copy_sysctls() {
        const auto is_first = [](const std::string& path) {
            return path.find("/disable_ipv6") != std::string::npos || path.find("/conf/all/") != std::string::npos;
        };
        const auto copy = [&](bool first) {
            for (const auto& [path, value] : network_.sysctls) {
                if (is_first(path) != first || path.starts_with("bridge/") || path.ends_with("/rp_filter")) continue;
                write_sysctl(path, value);
            }
        };
        copy(true);
        copy(false);
        for (const auto& link : made_)
            write_sysctl(fmt::format("ipv4/conf/{}/rp_filter", link.name), "0");
    }

    /// Without routes of the kernel's own: all come from the gateway.
    [[nodiscard]] Result<void> add_addresses() {
        const auto& addresses = network_.addresses;
        ASSIGN_OR_RETURN(const auto refused, send_all(addresses.size(), [&](std::size_t i) {
                             auto header = header_of<ifaddrmsg>(addresses[i]);
                             const Bytes attributes = attributes_after<ifaddrmsg>(addresses[i]);
                             auto flags =
                                 has(attributes, IFA_FLAGS) ? native_in(attributes, IFA_FLAGS) : header.ifa_flags;
                             flags &= ~std::uint32_t{IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_SECONDARY};
                             flags |= IFA_F_NOPREFIXROUTE | IFA_F_NODAD | IFA_F_PERMANENT;
                             writer_.begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, static_cast<std::uint32_t>(i));
                             header.ifa_flags = static_cast<std::uint8_t>(flags);
                             writer_.structure(header);
                             for_each_attribute(attributes, [&](const Attribute& attribute) {
                                 if (attribute.type != IFA_FLAGS && attribute.type != IFA_CACHEINFO)
                                     writer_.copy(attribute);
                             });
                             writer_.native(IFA_FLAGS, flags);
                             writer_.end();
                             return true;
                         }));
        for (const auto& [index, error] : refused) {
            if (error == EEXIST) continue;
            const auto header = header_of<ifaddrmsg>(addresses[index]);
            const Bytes attributes = attributes_after<ifaddrmsg>(addresses[index]);
            const Bytes local = bytes_in(attributes, has(attributes, IFA_LOCAL) ? IFA_LOCAL : IFA_ADDRESS);
            faults_.push_back(fmt::format("address {} cannot be copied: {}", address_text(header.ifa_family, local),
                                          std::strerror(error)));
        }
        return {};
    }

    [[nodiscard]] Result<void> add_nexthops() {
        const auto& nexthops = network_.nexthops;
        ASSIGN_OR_RETURN(const auto refused, send_all(nexthops.size(), [&](std::size_t i) {
                             auto header = header_of<nhmsg>(nexthops[i]);
                             header.nh_flags &= RTNH_F_ONLINK;
                             writer_.begin(RTM_NEWNEXTHOP, NLM_F_CREATE, static_cast<std::uint32_t>(i));
                             writer_.structure(header);
                             for_each_attribute(attributes_after<nhmsg>(nexthops[i]),
                                                [&](const Attribute& attribute) { writer_.copy(attribute); });
                             writer_.end();
                             return true;
                         }));
        for (const auto& [index, error] : refused) {
            if (error != EEXIST) faults_.push_back(fmt::format("a nexthop cannot be copied: {}", std::strerror(error)));
        }
        return {};
    }

    /// False for a route that the kernel makes by itself.
    [[nodiscard]] bool write_route(std::size_t index) {
        auto header = header_of<rtmsg>(network_.routes[index]);
        if (header.rtm_family == AF_INET6 && header.rtm_type == RTN_ANYCAST) return false;
        const Bytes attributes = attributes_after<rtmsg>(network_.routes[index]);
        const bool by_nexthop = has(attributes, RTA_NH_ID);
        header.rtm_flags &= RTNH_F_ONLINK;
        writer_.begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, static_cast<std::uint32_t>(index));
        writer_.structure(header);
        for_each_attribute(attributes, [&](const Attribute& attribute) {
            switch (attribute.type) {
                case RTA_CACHEINFO:
                case RTA_EXPIRES:
                    return;
                case RTA_OIF:
                case RTA_GATEWAY:
                case RTA_VIA:
                    if (!by_nexthop) writer_.copy(attribute);
                    return;
                case RTA_MULTIPATH:
                    if (!by_nexthop) write_multipath(attribute.payload);
                    return;
                default:
                    writer_.copy(attribute);
            }
        });
        writer_.end();
        return true;
    }

    /// Without the flags that only a dump has (RTNH_F_LINKDOWN and others).
    void write_multipath(Bytes hops) {
        ByteString cleared(hops.begin(), hops.end());
        for (std::size_t at = 0; at + sizeof(rtnexthop) <= cleared.size();) {
            rtnexthop hop{};
            std::memcpy(&hop, &cleared[at], sizeof hop);
            if (hop.rtnh_len < sizeof hop) break;
            hop.rtnh_flags &= RTNH_F_ONLINK;
            std::memcpy(&cleared[at], &hop, sizeof hop);
            at += static_cast<std::size_t>(RTNH_ALIGN(hop.rtnh_len));
        }
        writer_.attribute(RTA_MULTIPATH, cleared);
    }

    /// In as many passes as it takes: a gateway needs the route to it.
    [[nodiscard]] Result<void> add_routes() {
        std::vector<std::size_t> left(network_.routes.size());
        std::iota(left.begin(), left.end(), std::size_t{0});
        for (;;) {
            ASSIGN_OR_RETURN(const auto refused,
                             send_all(left.size(), [&](std::size_t i) { return write_route(left[i]); }));
            std::vector<std::size_t> still;
            for (const auto& [index, error] : refused) {
                if (error != EEXIST) still.push_back(index);
            }
            if (still.empty()) return {};
            if (still.size() == left.size() || still == left) return report_routes(refused);
            left = std::move(still);
        }
    }

    [[nodiscard]] Result<void> report_routes(const Refused& refused) {
        for (const auto& [index, error] : refused) {
            if (error == EEXIST) continue;
            const auto header = header_of<rtmsg>(network_.routes[index]);
            const Bytes destination = bytes_in(attributes_after<rtmsg>(network_.routes[index]), RTA_DST);
            faults_.push_back(fmt::format("route {}/{} cannot be copied: {}",
                                          address_text(header.rtm_family, destination), header.rtm_dst_len,
                                          std::strerror(error)));
        }
        return {};
    }

    /// A new namespace has these three rules, which are not copied: look-ups of the tables local, main and default.
    void check_standard_rules() {
        for (const int family : {AF_INET, AF_INET6}) {
            std::set<std::pair<std::uint32_t, std::uint32_t>> present;  // priority and table
            for (const auto& rule : network_.rules) {
                if (header_of<fib_rule_hdr>(rule).family != family) continue;
                const Bytes attributes = attributes_after<fib_rule_hdr>(rule);
                present.emplace(native_in(attributes, FRA_PRIORITY), native_in(attributes, FRA_TABLE));
            }
            const bool standard = present.contains({0, RT_TABLE_LOCAL}) && present.contains({32766, RT_TABLE_MAIN});
            if (!present.empty() && !standard) faults_.emplace_back("the standard routing rules were changed");
        }
    }

    [[nodiscard]] Result<void> add_rules() {
        check_standard_rules();
        const auto& rules = network_.rules;
        ASSIGN_OR_RETURN(const auto refused, send_all(rules.size(), [&](std::size_t i) {
                             auto header = header_of<fib_rule_hdr>(rules[i]);
                             const Bytes attributes = attributes_after<fib_rule_hdr>(rules[i]);
                             const auto priority = native_in(attributes, FRA_PRIORITY);
                             if (priority == 0 || priority == 32766 || priority == 32767)
                                 return false;  // every namespace has these
                             header.flags &= FIB_RULE_INVERT;
                             writer_.begin(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, static_cast<std::uint32_t>(i));
                             writer_.structure(header);
                             for_each_attribute(attributes,
                                                [&](const Attribute& attribute) { writer_.copy(attribute); });
                             writer_.end();
                             return true;
                         }));
        for (const auto& [index, error] : refused) {
            if (error == EEXIST) continue;
            const auto priority = native_in(attributes_after<fib_rule_hdr>(rules[index]), FRA_PRIORITY);
            faults_.push_back(fmt::format("routing rule {} cannot be copied: {}", priority, std::strerror(error)));
        }
        return {};
    }

    /// Sends `count` requests in pieces: `write(i)` writes one, or returns false to leave it out. Returns what the
    /// kernel refused, by the requests' sequence numbers.
    template <typename Write>
    [[nodiscard]] Result<Refused> send_all(std::size_t count, Write write) {
        Refused refused;
        for (std::size_t i = 0; i < count; ++i) {
            write(i);
            if (writer_.size() >= kPiece || (i + 1 == count && writer_.size() > 0)) {
                RETURN_IF_ERROR(send_piece(refused));
            }
        }
        return refused;
    }

    [[nodiscard]] Result<void> send_piece(Refused& refused) {
        RETURN_IF_ERROR(socket_.send(writer_.bytes()));
        writer_.clear();
        std::vector<std::byte> buffer(netlink::kDumpBuffer);
        const bool complete = netlink::receive_answers(socket_, buffer, [&](const netlink::Message& message) {
            if (message.header.nlmsg_type == NLMSG_ERROR && message.error() != 0) {
                refused.emplace_back(message.header.nlmsg_seq, message.error());
            }
        });
        return complete ? Result<void>{} : failed("building the judge's network: the kernel's answers were lost");
    }

    const GatewayNetwork& network_;
    const std::set<std::string>& named_;
    Socket socket_;
    MessageWriter writer_;
    std::vector<Link> made_;
    WorldFaults faults_;
};

}  // namespace

Result<WorldFaults> build_world(const GatewayNetwork& network, const std::set<std::string>& named) {
    ASSIGN_OR_RETURN(auto socket, Socket::open_routing());
    return WorldBuilder{network, named, std::move(socket)}.build();
}

}  // namespace headgate::rematch
