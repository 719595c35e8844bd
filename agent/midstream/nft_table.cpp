// SPDX-License-Identifier: GPL-2.0-or-later
#include "midstream/nft_table.h"

#include <Poco/SHA1Engine.h>
#include <linux/netlink.h>

#include <array>
#include <cerrno>
#include <iterator>
#include <utility>

#include "netlink/messages.h"

namespace headgate::midstream {
namespace {

/// A renewed block of rows is sent at once and takes about a quarter of this.
constexpr int kSendRoom = 1 << 20;

/// If such a block does not fit in its set, each of its messages is answered by an error (nfnetlink.c,
/// nfnetlink_rcv_batch), which occupies 0.8 KiB of the socket's buffer.
constexpr int kReceiveRoom = 4 << 20;

constexpr int kReadings = 100;

tl::unexpected<Error> nft_error(int number, std::string_view doing) {
    if (number == EPERM) {
        return tl::unexpected(
            Error{ErrorKind::Unprivileged,
                  "nftables needs CAP_NET_ADMIN: use sudo, or start the agent and join group headgate", EPERM});
    }
    return system_error(number, doing);
}

/// How nfnetlink answers for a subsystem that does not exist (nfnetlink.c, nfnetlink_rcv_msg).
bool means_no_subsystem(int number) {
    return number == EINVAL || number == EOPNOTSUPP;
}

netlink::RequestBuffer listing_request(Listing listing, std::string_view table) {
    netlink::RequestBuffer request;
    add_listing(request, listing, table);
    return request;
}

/// Wraps a parser of one message to return a vector of none or one.
template <typename Item>
auto in_vector(std::optional<Item> (*parse)(netlink::Bytes)) {
    return [parse](netlink::Bytes payload) {
        std::vector<Item> items;
        if (auto item = parse(payload)) items.push_back(std::move(*item));
        return items;
    };
}

}  // namespace

NftTable::NftTable(netlink::Socket socket, std::string_view name)
    : socket_(std::move(socket)), name_(name), buffer_(netlink::kDumpBuffer) {
    socket_.set_send_room(kSendRoom);
    socket_.set_receive_room(kReceiveRoom);
}

bool NftTable::is_missing(const Error& error) {
    return error.number == EPROTONOSUPPORT || means_no_subsystem(error.number);
}

Result<NftTable> NftTable::open(std::string_view name) {
    ASSIGN_OR_RETURN(auto socket, netlink::Socket::open());
    NftTable table{std::move(socket), name};
    netlink::RequestBuffer probe;
    add_probe(probe);
    probe.acknowledge_last();
    auto answered = table.ask(probe, [](netlink::Bytes) {});
    if (answered) return table;
    if (means_no_subsystem(answered.error().number)) {
        return tl::unexpected(
            Error{ErrorKind::Failed, "the kernel has no nf_tables (modprobe nf_tables)", answered.error().number});
    }
    return tl::unexpected(std::move(answered.error()));
}

/// Sends one request and passes the payload of each answer message to `take`, up to the end of the answer.
template <typename Sink>
Result<NftTable::Reading> NftTable::ask(netlink::RequestBuffer request, Sink sink) {
    request.number_all(++sequence_);
    RETURN_IF_ERROR(socket_.send(request.bytes()));
    auto reading = Reading::Consistent;
    for (;;) {
        ASSIGN_OR_RETURN(const auto piece, socket_.receive(buffer_));
        netlink::Message message;
        for (netlink::MessageReader reader{piece}; reader.next(message);) {
            if (!answers_last_request(message)) continue;
            if ((message.header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) reading = Reading::Disturbed;
            if (message.header.nlmsg_type != NLMSG_ERROR && message.header.nlmsg_type != NLMSG_DONE) {
                sink(message.payload);
                continue;
            }
            const int number = message.error();
            if (number == 0 || number == ENOENT) return reading;  // ENOENT: there is no such table or set
            return nft_error(number, "reading nftables");
        }
    }
}

/// Everything that a dump returns, as the joined vectors that `parse` makes of its messages. Repeats a dump during
/// which the ruleset changed (nf_tables_api.c: nl_dump_check_consistent).
template <typename Parse>
auto NftTable::list(const netlink::RequestBuffer& request, Parse parse)
    -> Result<std::remove_cvref_t<decltype(parse(netlink::Bytes{}))>> {
    for (int attempt = 0; attempt < kReadings; ++attempt) {
        decltype(parse(netlink::Bytes{})) all;
        ASSIGN_OR_RETURN(const auto reading, ask(request, [&](netlink::Bytes payload) {
                             auto some = parse(payload);
                             all.insert(all.end(), std::make_move_iterator(some.begin()),
                                        std::make_move_iterator(some.end()));
                         }));
        if (reading == Reading::Consistent) return all;
    }
    return failed("reading nftables: the ruleset keeps changing");
}

Result<std::vector<TableChain>> NftTable::chains() {
    return list(listing_request(Listing::Chains, name_), in_vector(parse_chain));
}

Result<std::vector<TableSet>> NftTable::sets() {
    return list(listing_request(Listing::Sets, name_), in_vector(parse_set));
}

Result<std::vector<TableCounter>> NftTable::counters() {
    return list(listing_request(Listing::Counters, name_), in_vector(parse_counter));
}

Result<std::string> NftTable::fingerprint() {
    using Essence = std::vector<std::byte> (*)(netlink::Bytes, std::string_view);
    constexpr std::array<std::pair<Listing, Essence>, 3> kParts = {
        {{Listing::Tables, essence_of_table}, {Listing::Chains, essence_of_chain}, {Listing::Rules, essence_of_rule}}};
    Poco::SHA1Engine digest;
    for (const auto& [listing, essence] : kParts) {
        ASSIGN_OR_RETURN(const auto bytes,
                         list(listing_request(listing, name_),
                              [&, parse = essence](netlink::Bytes payload) { return parse(payload, name_); }));
        digest.update(bytes.data(), bytes.size());
    }
    return Poco::DigestEngine::digestToHex(digest.digest());
}

Result<std::vector<SetElement>> NftTable::elements(std::string_view set) {
    netlink::RequestBuffer request;
    add_element_listing(request, name_, set);
    return list(request, parse_elements);
}

Result<std::vector<CountedElement>> NftTable::counted_elements(std::string_view set) {
    netlink::RequestBuffer request;
    add_element_listing(request, name_, set);
    return list(request, parse_counted_elements);
}

bool NftTable::answers_last_request(const netlink::Message& message) const {
    return message.header.nlmsg_seq == sequence_;
}

Result<void> NftTable::add(std::span<const SetElements> additions) {
    auto added = transact(additions, when_there_);
    if (!added && added.error().number == EEXIST) {
        // Where one element exists, more will, and a transaction that fails waits for all CPUs (nf_tables_api.c,
        // __nf_tables_abort: synchronize_rcu).
        when_there_ = WhenThere::Renew;
        added = transact(additions, when_there_);
    }
    // An existing element may time out between its addition and its removal.
    if (!added && added.error().number == ENOENT) added = transact(additions, when_there_);
    return added;
}

Result<void> NftTable::forget(std::span<const SetElements> elements) {
    netlink::RequestBuffer requests;
    add_removal(requests, elements);
    return transact(std::move(requests));
}

Result<void> NftTable::transact(std::span<const SetElements> additions, WhenThere when_there) {
    netlink::RequestBuffer requests;
    add_transaction(requests, additions, when_there);
    return transact(std::move(requests));
}

Result<void> NftTable::transact(netlink::RequestBuffer requests) {
    requests.number_all(++sequence_);
    RETURN_IF_ERROR(socket_.send(requests.bytes()));
    int first_error = 0;
    for (bool answered = false;; answered = true) {
        const auto piece = socket_.receive_waiting(buffer_);
        if (!piece && piece.error().number == ENOBUFS) continue;  // reported once; queued answers follow
        if (!piece) return tl::unexpected(piece.error());
        if (!*piece) {
            if (!answered) return failed("nf_tables did not answer");
            break;
        }
        netlink::Message message;
        for (netlink::MessageReader reader{**piece}; reader.next(message);) {
            if (!answers_last_request(message) || message.header.nlmsg_type != NLMSG_ERROR) continue;
            if (first_error == 0) first_error = message.error();
        }
    }
    return first_error == 0 ? Result<void>{} : nft_error(first_error, "changing a set of nftables");
}

}  // namespace headgate::midstream
