// SPDX-License-Identifier: GPL-2.0-or-later
#include "rematch/gateway_network.h"

#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <cstring>
#include <string_view>

namespace headgate::rematch {
namespace {

using netlink::Attribute;
using netlink::Bytes;

/// The header at the front of a message; what follows are attributes. False if the message is too short.
template <typename Header>
bool read_header(Bytes message, Header& header) {
    if (message.size() < sizeof header) return false;
    std::memcpy(&header, message.data(), sizeof header);
    return true;
}

/// A number in host byte order, as rtnetlink writes them.
std::uint32_t native_number(Bytes payload) {
    std::uint32_t value = 0;
    if (payload.size() >= sizeof value) std::memcpy(&value, payload.data(), sizeof value);
    return value;
}

class NetworkParser {
  public:
    void add(std::uint16_t type, Bytes message) {
        switch (type) {
            case RTM_NEWLINK:
                return add_link(message);
            case RTM_NEWADDR:
                return add_address(message);
            case RTM_NEWNEXTHOP:
                if (message.size() >= sizeof(nhmsg)) keep(network_.nexthops, message);
                return;
            case RTM_NEWROUTE:
                return add_route(message);
            case RTM_NEWRULE:
                return add_rule(message);
            default:
                return;
        }
    }

    [[nodiscard]] GatewayNetwork finish() && {
        std::erase_if(network_.links, [](const auto& link) { return link.second.name.empty(); });
        return std::move(network_);
    }

  private:
    static void keep(std::vector<ByteString>& messages, Bytes message) {
        messages.emplace_back(message.begin(), message.end());
    }

    void add_link(Bytes message) {
        ifinfomsg header{};
        if (!read_header(message, header) || header.ifi_family == AF_BRIDGE) return;
        const Bytes attributes = message.subspan(sizeof header);
        auto& link = network_.links[header.ifi_index];
        link.index = header.ifi_index;
        link.type = header.ifi_type;
        link.is_up = (header.ifi_flags & IFF_UP) != 0;
        link.name = text_in(attributes, IFLA_IFNAME);
        link.kind = text_in(bytes_in(attributes, IFLA_LINKINFO), IFLA_INFO_KIND);
        link.group = native_number(bytes_in(attributes, IFLA_GROUP));
        link.mtu = native_number(bytes_in(attributes, IFLA_MTU));
        const Bytes hardware = bytes_in(attributes, IFLA_ADDRESS);
        link.hardware_address.assign(hardware.begin(), hardware.end());
    }

    void add_address(Bytes message) {
        ifaddrmsg header{};
        if (!read_header(message, header) || !is_ip(header.ifa_family)) return;
        network_.links[static_cast<int>(header.ifa_index)].routes = true;
        keep(network_.addresses, message);
    }

    void add_route(Bytes message) {
        rtmsg header{};
        if (!read_header(message, header) || !is_ip(header.rtm_family)) return;
        if ((header.rtm_flags & RTM_F_CLONED) != 0 || header.rtm_type == RTN_MULTICAST) return;
        for_each_output_link(message.subspan(sizeof header), [&](int link) { network_.links[link].routes = true; });
        keep(network_.routes, message);
    }

    void add_rule(Bytes message) {
        fib_rule_hdr header{};
        if (read_header(message, header) && is_ip(header.family)) keep(network_.rules, message);
    }

    static bool is_ip(std::uint8_t family) { return family == AF_INET || family == AF_INET6; }

    GatewayNetwork network_;
};

/// What may be written below /proc/sys/net.
bool is_permitted(std::string_view path) {
    if (path.find("..") != std::string_view::npos) return false;
    for (const std::string_view folder : {"ipv4/conf/", "ipv6/conf/", "ipv4/fib_", "ipv6/fib_", "bridge/"}) {
        if (path.starts_with(folder)) return true;
    }
    return path == "ipv4/ip_local_port_range";
}

}  // namespace

void for_each_output_link(Bytes route_attributes, const std::function<void(int)>& sink) {
    netlink::for_each_attribute(route_attributes, [&](const Attribute& attribute) {
        if (attribute.type == RTA_OIF) sink(static_cast<int>(native_number(attribute.payload)));
        if (attribute.type != RTA_MULTIPATH) return;
        Bytes rest = attribute.payload;
        for (rtnexthop hop{}; read_header(rest, hop) && hop.rtnh_len >= sizeof hop;) {
            sink(hop.rtnh_ifindex);
            const auto length = static_cast<std::size_t>(RTNH_ALIGN(hop.rtnh_len));
            if (length >= rest.size()) return;
            rest = rest.subspan(length);
        }
    });
}

Result<GatewayNetwork> parse_network(Bytes routing, const std::vector<std::string>& sysctls) {
    NetworkParser parser;
    netlink::MessageReader reader{routing};
    for (netlink::Message message; reader.next(message);)
        parser.add(message.header.nlmsg_type, message.payload);
    if (!reader.at_end()) return make_error(ErrorKind::Damaged, "the copy of links and routes is cut short");
    auto network = std::move(parser).finish();
    for (const auto& sysctl : sysctls) {
        const auto equals = sysctl.find('=');
        if (equals == std::string::npos || !is_permitted(std::string_view{sysctl}.substr(0, equals))) {
            return make_error(ErrorKind::Damaged, "the copy of sysctls names others");
        }
        network.sysctls[sysctl.substr(0, equals)] = sysctl.substr(equals + 1);
    }
    return network;
}

}  // namespace headgate::rematch
