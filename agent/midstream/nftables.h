// SPDX-License-Identifier: GPL-2.0-or-later
// libnftables: runs commands in nftables syntax, each call as one transaction.
#pragma once

#include <nftables/libnftables.h>

#include <memory>
#include <string>

#include "headgate/result.h"

namespace headgate::midstream {

/// Not thread-safe.
class Nftables {
  public:
    /// For the calling thread's network namespace, and to be used only there. The library ends the process if netlink
    /// does not work at all, so call NftTable::open() first.
    [[nodiscard]] static Result<Nftables> open();

    /// Applies all commands or none.
    [[nodiscard]] Result<void> run(const std::string& commands);

    /// Whether the kernel would accept them; changes nothing.
    [[nodiscard]] Result<void> check(const std::string& commands);

  private:
    struct Closer {
        void operator()(nft_ctx* context) const noexcept { nft_ctx_free(context); }
    };
    explicit Nftables(nft_ctx* context) noexcept : context_(context) {}

    std::unique_ptr<nft_ctx, Closer> context_;
};

}  // namespace headgate::midstream
