// SPDX-License-Identifier: GPL-2.0-or-later
#include "midstream/nftables.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <string_view>

#include "base/text.h"

namespace headgate::midstream {
namespace {

/// The first line with an error; the rest points at positions in the generated text.
std::string_view essence(std::string_view complaint) {
    while (!complaint.empty()) {
        const auto line = take_until(complaint, '\n');
        if (const auto start = line.find("Error: "); start != std::string_view::npos) return line.substr(start + 7);
    }
    return "no reason given";
}

/// libnftables ends the process if an allocation fails (src/utils.c, xmalloc), so it is not called when memory is
/// short.
Result<void> check_memory() {
    constexpr std::size_t kEnough = std::size_t{4} << 20U;
    void* const found = ::mmap(nullptr, kEnough, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (found == MAP_FAILED) return system_error(ENOMEM, "nftables");
    ::munmap(found, kEnough);
    return {};
}

}  // namespace

Result<Nftables> Nftables::open() {
    RETURN_IF_ERROR(check_memory());
    Nftables nftables{nft_ctx_new(NFT_CTX_DEFAULT)};
    nft_ctx* const context = nftables.context_.get();
    if (context == nullptr) return failed("libnftables cannot be used");
    if (nft_ctx_buffer_output(context) != 0 || nft_ctx_buffer_error(context) != 0) {
        return failed("libnftables: out of memory");
    }
    return nftables;
}

Result<void> Nftables::run(const std::string& commands) {
    RETURN_IF_ERROR(check_memory());
    nft_ctx* const context = context_.get();
    const int status = nft_run_cmd_from_buffer(context, commands.c_str());
    const std::string complaint = nft_ctx_get_error_buffer(context);
    if (status != 0) return failed("nftables: {}", essence(complaint));
    return {};
}

Result<void> Nftables::check(const std::string& commands) {
    nft_ctx_set_dry_run(context_.get(), true);
    auto checked = run(commands);
    nft_ctx_set_dry_run(context_.get(), false);
    return checked;
}

}  // namespace headgate::midstream
