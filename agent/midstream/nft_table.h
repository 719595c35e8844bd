// The table `inet headgate` as nf_tables has it, over netlink.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "headgate/result.h"

#include "midstream/nft_messages.h"
#include "netlink/socket.h"

namespace headgate::midstream {

/// Not thread-safe.
class NftTable {
  public:
    /// In the calling thread's network namespace. Fails, and says why, where the kernel has no nf_tables or the process
    /// may not use it.
    [[nodiscard]] static Result<NftTable> open();

    /// Empty where there is no such table.
    [[nodiscard]] Result<std::vector<TableChain>> chains();
    [[nodiscard]] Result<std::vector<TableSet>> sets();
    [[nodiscard]] Result<std::vector<TableCounter>> counters();

    /// The same as long as nobody changes the table's flags, chains or rules.
    [[nodiscard]] Result<std::string> fingerprint();

    /// Empty where there is no such set.
    [[nodiscard]] Result<std::vector<SetElement>> elements(std::string_view set);

    /// Adds all or, on an error, none; an element that is there already is renewed. ENFILE: a set is full.
    [[nodiscard]] Result<void> add(std::span<const SetElements> additions);

  private:
    explicit NftTable(netlink::Socket socket);

    enum class Reading : std::uint8_t { Consistent, Disturbed };

    template <typename Take>
    [[nodiscard]] Result<Reading> ask(const netlink::RequestBuffer& request, Take take);
    template <typename Parse>
    [[nodiscard]] auto list(const netlink::RequestBuffer& request, Parse parse)
        -> Result<std::remove_cvref_t<decltype(parse(netlink::Bytes{}))>>;
    [[nodiscard]] Result<void> transact(std::span<const SetElements> additions, WhenThere when_there);

    netlink::Socket socket_;
    std::vector<std::byte> buffer_;
    WhenThere when_there_ = WhenThere::Fail;
};

}  // namespace headgate::midstream
