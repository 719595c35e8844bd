// SPDX-License-Identifier: GPL-2.0-or-later
#include "rematch/own_chains.h"

#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <climits>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "rematch/expressions.h"

namespace headgate::rematch {
namespace {

using netlink::MessageWriter;

/// The judge's own chains.
class OwnChains {
  public:
    explicit OwnChains(NftBatch& batch) : batch_(batch) {}

    void add_table(std::uint8_t family) {
        batch_.add(NFT_MSG_NEWTABLE, NLM_F_CREATE, family, "the judge's table",
                   [](MessageWriter& writer) { writer.text(NFTA_TABLE_NAME, kOwnTable); });
    }

    void add_chain(std::uint8_t family, const std::string& name, std::uint32_t hook, std::int32_t priority,
                   const std::string& device = {}) {
        batch_.add(NFT_MSG_NEWCHAIN, NLM_F_CREATE, family, "the judge's chain " + name, [&](MessageWriter& writer) {
            writer.text(NFTA_CHAIN_TABLE, kOwnTable);
            writer.text(NFTA_CHAIN_NAME, name);
            writer.nest(NFTA_CHAIN_HOOK, [&] {
                writer.big_endian(NFTA_HOOK_HOOKNUM, hook);
                writer.big_endian(NFTA_HOOK_PRIORITY, static_cast<std::uint32_t>(priority));
                if (!device.empty()) writer.text(NFTA_HOOK_DEV, device);
            });
            writer.text(NFTA_CHAIN_TYPE, "filter");
        });
    }

    void add_rule(std::uint8_t family, const std::string& chain, const std::vector<Expression>& expressions) {
        batch_.add(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, family, "the judge's rule in " + chain,
                   [&](MessageWriter& writer) {
                       writer.text(NFTA_RULE_TABLE, kOwnTable);
                       writer.text(NFTA_RULE_CHAIN, chain);
                       write_expressions(writer, expressions);
                   });
    }

    /// Rules that report the whole way of probes that ask for it. `condition`: that the packet is of the family.
    void add_trace_requests(std::uint8_t family, const std::string& chain, const std::vector<Expression>& is_ipv4,
                            const std::vector<Expression>& is_ipv6) {
        constexpr std::uint8_t kHigh = kTracedProbe >> 8U;
        constexpr std::uint8_t kLow = kTracedProbe & 0xffU;
        constexpr std::uint8_t kIdentification[] = {kHigh, kLow};
        constexpr std::uint8_t kLabelMask[] = {0x00, 0x0f, 0xff, 0xff};
        constexpr std::uint8_t kLabel[] = {0, 0, kHigh, kLow};
        auto ipv4 = is_ipv4;
        ipv4.push_back(load_network_header(4, 2, NFT_REG_1));
        ipv4.push_back(compare(NFT_CMP_EQ, NFT_REG_1, kIdentification));
        append_trace(ipv4);
        add_rule(family, chain, ipv4);
        auto ipv6 = is_ipv6;
        ipv6.push_back(load_network_header(0, 4, NFT_REG_1));
        ipv6.push_back(mask(NFT_REG_1, kLabelMask));
        ipv6.push_back(compare(NFT_CMP_EQ, NFT_REG_1, kLabel));
        append_trace(ipv6);
        add_rule(family, chain, ipv6);
    }

  private:
    NftBatch& batch_;
};

std::vector<std::uint8_t> native_bytes(std::uint32_t value) {
    std::vector<std::uint8_t> bytes(sizeof value);
    std::memcpy(bytes.data(), &value, sizeof value);
    return bytes;
}

/// A mark with which a probe is sent becomes its connection's mark: it travels as the packet's priority past the
/// gateway's rules, which see a packet without mark.
void add_mark_rules(OwnChains& own, const char* before_conntrack, const char* after_conntrack) {
    const auto none = native_bytes(0);
    own.add_rule(
        NFPROTO_INET, before_conntrack,
        {load_meta(NFT_META_MARK, NFT_REG_1), compare(NFT_CMP_NEQ, NFT_REG_1, none),
         set_meta(NFT_META_PRIORITY, NFT_REG_1), load_value(NFT_REG_1, none), set_meta(NFT_META_MARK, NFT_REG_1)});
    own.add_rule(NFPROTO_INET, after_conntrack,
                 {load_meta(NFT_META_PRIORITY, NFT_REG_1), compare(NFT_CMP_NEQ, NFT_REG_1, none),
                  set_ct(NFT_CT_MARK, NFT_REG_1), load_value(NFT_REG_1, none), set_meta(NFT_META_PRIORITY, NFT_REG_1)});
}

void add_chains_for_routed_packets(OwnChains& own, std::uint32_t sentinel) {
    constexpr std::uint8_t kIpv4[] = {NFPROTO_IPV4};
    constexpr std::uint8_t kIpv6[] = {NFPROTO_IPV6};
    constexpr std::int32_t kJustAfterConntrack = -199;  // NF_IP_PRI_CONNTRACK is -200
    constexpr std::uint32_t kLoopbackLink = 1;
    own.add_table(NFPROTO_INET);
    own.add_chain(NFPROTO_INET, kBeginning, NF_INET_PRE_ROUTING, INT_MIN);
    own.add_chain(NFPROTO_INET, "output", NF_INET_LOCAL_OUT, INT_MIN);
    own.add_chain(NFPROTO_INET, "prerouting-mark", NF_INET_PRE_ROUTING, kJustAfterConntrack);
    own.add_chain(NFPROTO_INET, "output-mark", NF_INET_LOCAL_OUT, kJustAfterConntrack);
    // Conntrack confirms at INT_MAX: before that, nothing of a probe remains.
    own.add_chain(NFPROTO_INET, kInputEnd, NF_INET_LOCAL_IN, INT_MAX - 1);
    own.add_chain(NFPROTO_INET, kOutputEnd, NF_INET_POST_ROUTING, INT_MAX - 1);

    std::vector<Expression> sentinels{load_meta(NFT_META_IIF, NFT_REG_1),
                                      compare(NFT_CMP_EQ, NFT_REG_1, native_bytes(sentinel))};
    append_trace(sentinels);
    sentinels.push_back(verdict(NF_DROP));
    own.add_rule(NFPROTO_INET, kBeginning, sentinels);
    for (const auto* chain : {kBeginning, "output"}) {
        own.add_trace_requests(NFPROTO_INET, chain,
                               {load_meta(NFT_META_NFPROTO, NFT_REG_1), compare(NFT_CMP_EQ, NFT_REG_1, kIpv4)},
                               {load_meta(NFT_META_NFPROTO, NFT_REG_1), compare(NFT_CMP_EQ, NFT_REG_1, kIpv6)});
    }
    add_mark_rules(own, kBeginning, "prerouting-mark");
    add_mark_rules(own, "output", "output-mark");

    std::vector<Expression> accepted;
    append_trace(accepted);
    accepted.push_back(verdict(NF_DROP));
    own.add_rule(NFPROTO_INET, kInputEnd, accepted);
    // To this machine itself: the input chains come after.
    own.add_rule(NFPROTO_INET, kOutputEnd,
                 {load_meta(NFT_META_OIF, NFT_REG_1), compare(NFT_CMP_EQ, NFT_REG_1, native_bytes(kLoopbackLink)),
                  verdict(NF_ACCEPT)});
    own.add_rule(NFPROTO_INET, kOutputEnd, accepted);
}

/// Probes that ask for it are reported before the ruleset's own chains at ingress.
void add_ingress_chains(OwnChains& own, const RulesetBytecode& ruleset) {
    std::set<std::string> devices;
    for (const auto& chain : ruleset.chains) {
        if (!chain.base) continue;
        const bool netdev = chain.family == NFPROTO_NETDEV && chain.base->hook == NF_NETDEV_INGRESS;
        const bool inet = chain.family == NFPROTO_INET && chain.base->hook == NF_INET_INGRESS;
        if (netdev || inet) devices.insert(chain.base->devices.begin(), chain.base->devices.end());
    }
    if (devices.empty()) return;
    constexpr std::uint8_t kIpv4[] = {ETH_P_IP >> 8, ETH_P_IP & 0xff};
    constexpr std::uint8_t kIpv6[] = {ETH_P_IPV6 >> 8, ETH_P_IPV6 & 0xff};
    own.add_table(NFPROTO_NETDEV);
    for (const auto& device : devices) {
        const auto name = "ingress-" + device;
        own.add_chain(NFPROTO_NETDEV, name, NF_NETDEV_INGRESS, INT_MIN, device);
        own.add_trace_requests(NFPROTO_NETDEV, name,
                               {load_meta(NFT_META_PROTOCOL, NFT_REG_1), compare(NFT_CMP_EQ, NFT_REG_1, kIpv4)},
                               {load_meta(NFT_META_PROTOCOL, NFT_REG_1), compare(NFT_CMP_EQ, NFT_REG_1, kIpv6)});
    }
}

}  // namespace

void add_own_chains(NftBatch& batch, const RulesetBytecode& ruleset, std::uint32_t sentinel) {
    OwnChains own{batch};
    add_chains_for_routed_packets(own, sentinel);
    add_ingress_chains(own, ruleset);
}

}  // namespace headgate::rematch
