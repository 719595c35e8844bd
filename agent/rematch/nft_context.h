// SPDX-License-Identifier: GPL-2.0-or-later
// libnftables, printing into buffers. For the calling thread's network namespace.
#pragma once

#include <nftables/libnftables.h>

#include <memory>

namespace headgate::rematch {

struct NftContextCloser {
    void operator()(nft_ctx* context) const noexcept { nft_ctx_free(context); }
};
using NftContext = std::unique_ptr<nft_ctx, NftContextCloser>;

/// Null if there is no memory.
[[nodiscard]] inline NftContext open_nft_context() {
    NftContext context{nft_ctx_new(NFT_CTX_DEFAULT)};
    if (!context || nft_ctx_buffer_output(context.get()) != 0 || nft_ctx_buffer_error(context.get()) != 0) return {};
    return context;
}

}  // namespace headgate::rematch
