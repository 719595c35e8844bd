// SPDX-License-Identifier: GPL-2.0-or-later
// The netlink messages of nf_tables that headgate encodes and decodes itself: set elements, which as text would take
// libnftables ten times as long, and queries of the table. Format: net/netfilter/nf_tables_api.c.
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
#include "netlink/messages.h"
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

/// An element with a counter of its own. In a set of intervals, it begins one.
struct CountedElement {
    SetElement element;
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
};

/// The parts of a table, chain or rule that change only if a program changes them, as bytes to be compared. Empty for a
/// message about another table.
[[nodiscard]] std::vector<std::byte> essence_of_table(netlink::Bytes payload, std::string_view table);
[[nodiscard]] std::vector<std::byte> essence_of_chain(netlink::Bytes payload, std::string_view table);
[[nodiscard]] std::vector<std::byte> essence_of_rule(netlink::Bytes payload, std::string_view table);

/// Absent for a message about another table.
[[nodiscard]] std::optional<TableChain> parse_chain(netlink::Bytes payload);
[[nodiscard]] std::optional<TableSet> parse_set(netlink::Bytes payload);
[[nodiscard]] std::optional<TableCounter> parse_counter(netlink::Bytes payload);

/// The elements that have not timed out; `timeout` is the time left.
[[nodiscard]] std::vector<SetElement> parse_elements(netlink::Bytes payload);

/// Likewise with their counters, without the ends of intervals.
[[nodiscard]] std::vector<CountedElement> parse_counted_elements(netlink::Bytes payload);

/// What a dump requests. Tables and chains are returned for all tables of the family, the rest for the named one
/// alone (nf_tables_api.c, nf_tables_dump_{tables,chains,rules,sets,obj}).
enum class Listing : std::uint8_t { Tables, Chains, Rules, Sets, Counters };

void add_listing(netlink::RequestBuffer& requests, Listing listing, std::string_view table);
void add_element_listing(netlink::RequestBuffer& requests, std::string_view table, std::string_view set);

/// Asks whether nf_tables exists, and whether this process may use it.
void add_probe(netlink::RequestBuffer& requests);

/// What happens to an element that is already in the set.
enum class WhenThere : std::uint8_t {
    Fail,   ///< the transaction fails with EEXIST
    Renew,  ///< it gets the new timeout; three times the work
};

/// One transaction that adds the elements to their sets. Answered when complete, or by the errors.
void add_transaction(netlink::RequestBuffer& requests, std::span<const SetElements> additions, WhenThere when_there);

/// One transaction that removes the elements, whether they exist or not.
void add_removal(netlink::RequestBuffer& requests, std::span<const SetElements> elements);

}  // namespace headgate::midstream
