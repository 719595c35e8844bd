// SPDX-License-Identifier: GPL-2.0-or-later
// A table of headgate's in nf_tables, over netlink. Chains, sets, counters and changes are those of `inet headgate`.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "headgate/result.h"

#include "midstream/nft_messages.h"
#include "midstream/ruleset_text.h"
#include "netlink/messages.h"
#include "netlink/socket.h"

namespace headgate::midstream {

/// Not thread-safe.
class NftTable {
  public:
    /// Opens it in the calling thread's network namespace. Fails, and reports the cause, if the kernel has no nf_tables
    /// or the process may not use it.
    [[nodiscard]] static Result<NftTable> open(std::string_view name = kTable);

    /// Whether open() failed because the kernel has no nf_tables.
    [[nodiscard]] static bool is_missing(const Error& error);

    /// Empty if the table does not exist.
    [[nodiscard]] Result<std::vector<TableChain>> chains();
    [[nodiscard]] Result<std::vector<TableSet>> sets();
    [[nodiscard]] Result<std::vector<TableCounter>> counters();

    /// Unchanged as long as the table's flags, chains and rules are.
    [[nodiscard]] Result<std::string> fingerprint();

    /// Empty if the set does not exist.
    [[nodiscard]] Result<std::vector<SetElement>> elements(std::string_view set);
    [[nodiscard]] Result<std::vector<CountedElement>> counted_elements(std::string_view set);

    /// Adds all elements or, on an error, none; existing elements are renewed. ENFILE: a set is full.
    [[nodiscard]] Result<void> add(std::span<const SetElements> additions);

    /// Removes elements; missing ones are no error.
    [[nodiscard]] Result<void> forget(std::span<const SetElements> elements);

  private:
    NftTable(netlink::Socket socket, std::string_view name);

    enum class Reading : std::uint8_t { Consistent, Disturbed };

    template <typename Sink>
    [[nodiscard]] Result<Reading> ask(netlink::RequestBuffer request, Sink sink);
    template <typename Parse>
    [[nodiscard]] auto list(const netlink::RequestBuffer& request, Parse parse)
        -> Result<std::remove_cvref_t<decltype(parse(netlink::Bytes{}))>>;
    [[nodiscard]] bool answers_last_request(const netlink::Message& message) const;
    [[nodiscard]] Result<void> transact(std::span<const SetElements> additions, WhenThere when_there);
    [[nodiscard]] Result<void> transact(netlink::RequestBuffer requests);

    netlink::Socket socket_;
    std::string name_;
    std::uint32_t sequence_ = 0;  ///< of the last request; answers to earlier ones are ignored
    std::vector<std::byte> buffer_;
    WhenThere when_there_ = WhenThere::Fail;
};

}  // namespace headgate::midstream
