// Netlink messages of nf_tables, as far as headgate speaks them itself: elements of sets, which as text would cost
// libnftables ten times the time, and what to look up in the table. Format: net/netfilter/nf_tables_api.c.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/ruleset.h"

#include "midstream/flushed_sets.h"
#include "netlink/attributes.h"
#include "netlink/request_buffer.h"

namespace headgate::midstream {

/// A chain of the table `inet headgate`.
struct TableChain {
    std::string name;
    std::string comment;
    std::optional<Hook> hook;  ///< of a base chain at one of these hooks
    int priority = 0;
};

struct TableSet {
    std::string name;
    std::uint32_t size = 0;  ///< 0: no limit
};

struct TableCounter {
    std::string name;
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
};

/// What of a table, chain or rule cannot change without somebody changing it, as bytes to be compared. Empty for a
/// message about another table.
[[nodiscard]] std::vector<std::byte> essence_of_table(netlink::Bytes payload);
[[nodiscard]] std::vector<std::byte> essence_of_chain(netlink::Bytes payload);
[[nodiscard]] std::vector<std::byte> essence_of_rule(netlink::Bytes payload);

/// Each is absent for a message about another table.
[[nodiscard]] std::optional<TableChain> parse_chain(netlink::Bytes payload);
[[nodiscard]] std::optional<TableSet> parse_set(netlink::Bytes payload);
[[nodiscard]] std::optional<TableCounter> parse_counter(netlink::Bytes payload);

/// Those that have not timed out; `timeout` is what is left.
[[nodiscard]] std::vector<SetElement> parse_elements(netlink::Bytes payload);

/// What a dump asks for. Tables and chains come for all tables of the family, the rest for ours alone
/// (nf_tables_api.c, nf_tables_dump_{tables,chains,rules,sets,obj}).
enum class Listing : std::uint8_t { Tables, Chains, Rules, Sets, Counters };

void add_listing(netlink::RequestBuffer& requests, Listing listing);
void add_element_listing(netlink::RequestBuffer& requests, std::string_view set);

/// Asks whether nf_tables is there, and whether we may use it.
void add_probe(netlink::RequestBuffer& requests);

/// What happens to an element that is in the set already.
enum class WhenThere : std::uint8_t {
    Fail,   ///< the transaction fails with EEXIST
    Renew,  ///< it stays for the new time. Three times the work
};

/// One transaction that adds the elements to their sets. Answered when it is done, or by the errors.
void add_transaction(netlink::RequestBuffer& requests, std::span<const SetElements> additions, WhenThere when_there);

/// One transaction that removes the elements, whether they are there or not.
void add_removal(netlink::RequestBuffer& requests, std::span<const SetElements> elements);

}  // namespace headgate::midstream
