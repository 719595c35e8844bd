// SPDX-License-Identifier: GPL-2.0-or-later
#include "midstream/nft_messages.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "midstream/ruleset_text.h"

namespace headgate::midstream {
namespace {

using netlink::Attribute;
using netlink::AttributeReader;
using netlink::Bytes;
using netlink::Nest;
using netlink::read_big_endian;

/// Bytes for headers and the names of table and set, with a margin.
constexpr std::size_t kLongestHead = 512;

/// Bytes for one element with all attribute headers: 68 for an IPv6 tuple.
constexpr std::size_t kLongestElement = 96;

/// A nest's length is a 16-bit number; this many elements stay below its limit.
constexpr std::size_t kElementsPerMessage = 500;

/// The type of a comment in user data (libnftnl, udata.h: NFTNL_UDATA_CHAIN_COMMENT).
constexpr std::byte kCommentType{0};

std::string text_of(Bytes payload) {
    const auto end = std::ranges::find(payload, std::byte{0});
    return {reinterpret_cast<const char*>(payload.data()), static_cast<std::size_t>(end - payload.begin())};
}

/// The attributes after the generic header; none in a message that is too short for it.
AttributeReader attributes_of(Bytes payload) {
    return AttributeReader{payload.size() < sizeof(nfgenmsg) ? Bytes{} : payload.subspan(sizeof(nfgenmsg))};
}

template <typename Sink>
void for_each_attribute(AttributeReader reader, Sink sink) {
    Attribute attribute;
    while (reader.next(attribute))
        sink(attribute);
}

/// The attributes of the given types, concatenated, if the message is about that table.
template <typename Types>
std::vector<std::byte> essence(Bytes payload, std::string_view table, std::uint16_t table_type, const Types& types) {
    std::vector<std::byte> bytes;
    std::string name;
    for_each_attribute(attributes_of(payload), [&](const Attribute& attribute) {
        if (attribute.type == table_type) name = text_of(attribute.payload);
        if (std::ranges::find(types, attribute.type) == types.end()) return;
        bytes.insert(bytes.end(), attribute.whole.begin(), attribute.whole.end());
    });
    return name == table ? bytes : std::vector<std::byte>{};
}

/// User data is a sequence of type, length, value (libnftnl, nftnl_udata).
std::string comment_in(Bytes data) {
    while (data.size() >= 2) {
        const auto length = std::to_integer<std::size_t>(data[1]);
        if (length > data.size() - 2) return {};
        if (data[0] == kCommentType) return text_of(data.subspan(2, length));
        data = data.subspan(2 + length);
    }
    return {};
}

std::optional<Hook> hook_of(std::uint32_t number) {
    switch (number) {
        case NF_INET_LOCAL_IN:
            return Hook::Input;
        case NF_INET_FORWARD:
            return Hook::Forward;
        case NF_INET_LOCAL_OUT:
            return Hook::Output;
        default:
            return std::nullopt;
    }
}

void read_hook(Bytes nest, TableChain& chain) {
    for_each_attribute(AttributeReader{nest}, [&](const Attribute& attribute) {
        const auto number = read_big_endian<std::uint32_t>(attribute.payload);
        if (attribute.type == NFTA_HOOK_HOOKNUM) chain.hook = hook_of(number);
        if (attribute.type == NFTA_HOOK_PRIORITY) chain.priority = static_cast<int>(number);
    });
}

SetElement read_element(Bytes nest) {
    SetElement element;
    for_each_attribute(AttributeReader{nest}, [&](const Attribute& attribute) {
        if (attribute.type == NFTA_SET_ELEM_EXPIRATION) {
            element.timeout = std::chrono::milliseconds{read_big_endian<std::uint64_t>(attribute.payload)};
        }
        if (attribute.type != NFTA_SET_ELEM_KEY) return;
        for_each_attribute(AttributeReader{attribute.payload}, [&](const Attribute& value) {
            if (value.type != NFTA_DATA_VALUE || value.payload.size() > SetElement::kLongestKey) return;
            std::ranges::copy(value.payload, element.key.begin());
            element.key_length = static_cast<std::uint8_t>(value.payload.size());
        });
    });
    return element;
}

bool ends_interval(Bytes element) {
    bool ends = false;
    for_each_attribute(AttributeReader{element}, [&](const Attribute& attribute) {
        if (attribute.type != NFTA_SET_ELEM_FLAGS) return;
        ends = (read_big_endian<std::uint32_t>(attribute.payload) & NFT_SET_ELEM_INTERVAL_END) != 0;
    });
    return ends;
}

/// The values of a counter, of a set's element or of the table.
template <typename Counter>
void read_counter(Bytes nest, Counter& counter) {
    for_each_attribute(AttributeReader{nest}, [&](const Attribute& detail) {
        const auto number = read_big_endian<std::uint64_t>(detail.payload);
        if (detail.type == NFTA_COUNTER_PACKETS) counter.packets = number;
        if (detail.type == NFTA_COUNTER_BYTES) counter.bytes = number;
    });
}

CountedElement read_counted_element(Bytes nest) {
    CountedElement counted{read_element(nest)};
    for_each_attribute(AttributeReader{nest}, [&](const Attribute& attribute) {
        if (attribute.type != NFTA_SET_ELEM_EXPR) return;
        for_each_attribute(AttributeReader{attribute.payload}, [&](const Attribute& part) {
            if (part.type == NFTA_EXPR_DATA) read_counter(part.payload, counted);
        });
    });
    return counted;
}

/// Reads the elements in a message.
template <typename Sink>
void for_each_element(Bytes payload, Sink sink) {
    for_each_attribute(attributes_of(payload), [&](const Attribute& attribute) {
        if (attribute.type != NFTA_SET_ELEM_LIST_ELEMENTS) return;
        for_each_attribute(AttributeReader{attribute.payload}, [&](const Attribute& item) { sink(item.payload); });
    });
}

bool is_alive(const SetElement& element) {
    return element.key_length != 0 && element.timeout.count() > 0;
}

nlmsghdr* begin(netlink::RequestBuffer& requests, int message, int flags, std::size_t longest = kLongestHead) {
    return requests.begin({.type = static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message),
                           .flags = static_cast<std::uint16_t>(flags),
                           .family = NFPROTO_INET},
                          longest);
}

void put_text(nlmsghdr* message, std::uint16_t type, std::string_view text) {
    mnl_attr_put_strz(message, type, std::string{text}.c_str());
}

/// nf_tables applies all messages between two borders or none (nfnetlink.c, nfnetlink_rcv_batch).
void add_border(netlink::RequestBuffer& requests, std::uint16_t type) {
    requests.end(requests.begin({.type = type, .resource = NFNL_SUBSYS_NFTABLES}, kLongestHead));
}

void put_element(nlmsghdr* message, const SetElement& element) {
    const Nest item{message, NFTA_LIST_ELEM};
    {
        const Nest key{message, NFTA_SET_ELEM_KEY};
        mnl_attr_put(message, NFTA_DATA_VALUE, element.key_length, element.key.data());
    }
    mnl_attr_put_u64(message, NFTA_SET_ELEM_TIMEOUT, htobe64(static_cast<std::uint64_t>(element.timeout.count())));
}

void add_elements(netlink::RequestBuffer& requests, int kind, int flags, std::string_view set,
                  std::span<const SetElement> elements) {
    nlmsghdr* const message = begin(requests, kind, flags, kLongestHead + elements.size() * kLongestElement);
    put_text(message, NFTA_SET_ELEM_LIST_TABLE, kTable);
    put_text(message, NFTA_SET_ELEM_LIST_SET, set);
    {
        const Nest list{message, NFTA_SET_ELEM_LIST_ELEMENTS};
        for (const auto& element : elements)
            put_element(message, element);
    }
    requests.end(message);
}

/// Before 6.12, adding an existing element does not change its timeout. Adding the element, so that it certainly
/// exists, removing it, and adding it again works in every version.
void add_renewal(netlink::RequestBuffer& requests, std::string_view set, const SetElement& element) {
    add_elements(requests, NFT_MSG_NEWSETELEM, NLM_F_CREATE, set, {&element, 1});
    add_elements(requests, NFT_MSG_DELSETELEM, 0, set, {&element, 1});
    add_elements(requests, NFT_MSG_NEWSETELEM, NLM_F_CREATE, set, {&element, 1});
}

void add_additions(netlink::RequestBuffer& requests, const SetElements& addition, WhenThere when_there) {
    if (when_there == WhenThere::Renew) {
        for (const auto& element : addition.elements)
            add_renewal(requests, addition.set, element);
        return;
    }
    for (std::span<const SetElement> rest{addition.elements}; !rest.empty();) {
        const auto some = rest.first(std::min(rest.size(), kElementsPerMessage));
        add_elements(requests, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL, addition.set, some);
        rest = rest.subspan(some.size());
    }
}

}  // namespace

std::vector<std::byte> essence_of_table(Bytes payload, std::string_view table) {
    return essence(payload, table, NFTA_TABLE_NAME, std::array{NFTA_TABLE_HANDLE, NFTA_TABLE_FLAGS});
}

std::vector<std::byte> essence_of_chain(Bytes payload, std::string_view table) {
    return essence(payload, table, NFTA_CHAIN_TABLE,
                   std::array{NFTA_CHAIN_NAME, NFTA_CHAIN_HOOK, NFTA_CHAIN_POLICY, NFTA_CHAIN_USERDATA});
}

std::vector<std::byte> essence_of_rule(Bytes payload, std::string_view table) {
    return essence(payload, table, NFTA_RULE_TABLE,
                   std::array{NFTA_RULE_CHAIN, NFTA_RULE_HANDLE, NFTA_RULE_EXPRESSIONS});
}

std::optional<TableChain> parse_chain(Bytes payload) {
    TableChain chain;
    std::string table;
    for_each_attribute(attributes_of(payload), [&](const Attribute& attribute) {
        if (attribute.type == NFTA_CHAIN_TABLE) table = text_of(attribute.payload);
        if (attribute.type == NFTA_CHAIN_NAME) chain.name = text_of(attribute.payload);
        if (attribute.type == NFTA_CHAIN_HOOK) read_hook(attribute.payload, chain);
        if (attribute.type == NFTA_CHAIN_USERDATA) chain.comment = comment_in(attribute.payload);
    });
    return table == kTable ? std::optional{std::move(chain)} : std::nullopt;
}

std::optional<TableSet> parse_set(Bytes payload) {
    TableSet set;
    std::string table;
    for_each_attribute(attributes_of(payload), [&](const Attribute& attribute) {
        if (attribute.type == NFTA_SET_TABLE) table = text_of(attribute.payload);
        if (attribute.type == NFTA_SET_NAME) set.name = text_of(attribute.payload);
        if (attribute.type != NFTA_SET_DESC) return;
        for_each_attribute(AttributeReader{attribute.payload}, [&](const Attribute& detail) {
            if (detail.type == NFTA_SET_DESC_SIZE) set.size = read_big_endian<std::uint32_t>(detail.payload);
        });
    });
    return table == kTable ? std::optional{std::move(set)} : std::nullopt;
}

std::optional<TableCounter> parse_counter(Bytes payload) {
    TableCounter counter;
    std::string table;
    for_each_attribute(attributes_of(payload), [&](const Attribute& attribute) {
        if (attribute.type == NFTA_OBJ_TABLE) table = text_of(attribute.payload);
        if (attribute.type == NFTA_OBJ_NAME) counter.name = text_of(attribute.payload);
        if (attribute.type == NFTA_OBJ_DATA) read_counter(attribute.payload, counter);
    });
    return table == kTable ? std::optional{std::move(counter)} : std::nullopt;
}

std::vector<SetElement> parse_elements(Bytes payload) {
    std::vector<SetElement> elements;
    for_each_element(payload, [&](Bytes item) {
        if (const auto element = read_element(item); is_alive(element)) elements.push_back(element);
    });
    return elements;
}

std::vector<CountedElement> parse_counted_elements(Bytes payload) {
    std::vector<CountedElement> elements;
    for_each_element(payload, [&](Bytes item) {
        const auto counted = read_counted_element(item);
        if (is_alive(counted.element) && !ends_interval(item)) elements.push_back(counted);
    });
    return elements;
}

void add_listing(netlink::RequestBuffer& requests, Listing listing, std::string_view table) {
    struct Form {
        int message;
        std::uint16_t table;  ///< the attribute that names the table
    };
    const auto form = [listing]() -> Form {
        switch (listing) {
            case Listing::Tables:
                return {NFT_MSG_GETTABLE, NFTA_TABLE_NAME};
            case Listing::Chains:
                return {NFT_MSG_GETCHAIN, NFTA_CHAIN_TABLE};
            case Listing::Rules:
                return {NFT_MSG_GETRULE, NFTA_RULE_TABLE};
            case Listing::Sets:
                return {NFT_MSG_GETSET, NFTA_SET_TABLE};
            case Listing::Counters:
                return {NFT_MSG_GETOBJ, NFTA_OBJ_TABLE};
        }
        return {};
    }();
    nlmsghdr* const message = begin(requests, form.message, NLM_F_DUMP);
    put_text(message, form.table, table);
    if (listing == Listing::Counters) mnl_attr_put_u32(message, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
    requests.end(message);
}

void add_element_listing(netlink::RequestBuffer& requests, std::string_view table, std::string_view set) {
    nlmsghdr* const message = begin(requests, NFT_MSG_GETSETELEM, NLM_F_DUMP);
    put_text(message, NFTA_SET_ELEM_LIST_TABLE, table);
    put_text(message, NFTA_SET_ELEM_LIST_SET, set);
    requests.end(message);
}

void add_probe(netlink::RequestBuffer& requests) {
    requests.end(begin(requests, NFT_MSG_GETGEN, 0));
}

void add_removal(netlink::RequestBuffer& requests, std::span<const SetElements> elements) {
    add_border(requests, NFNL_MSG_BATCH_BEGIN);
    for (const auto& each : elements) {
        for (const auto& element : each.elements) {
            // Added first: removing an element that has timed out is an error, which would undo the whole transaction.
            add_elements(requests, NFT_MSG_NEWSETELEM, NLM_F_CREATE, each.set, {&element, 1});
            add_elements(requests, NFT_MSG_DELSETELEM, 0, each.set, {&element, 1});
        }
    }
    requests.acknowledge_last();
    add_border(requests, NFNL_MSG_BATCH_END);
}

void add_transaction(netlink::RequestBuffer& requests, std::span<const SetElements> additions, WhenThere when_there) {
    add_border(requests, NFNL_MSG_BATCH_BEGIN);
    for (const auto& addition : additions)
        add_additions(requests, addition, when_there);
    requests.acknowledge_last();
    add_border(requests, NFNL_MSG_BATCH_END);
}

}  // namespace headgate::midstream
