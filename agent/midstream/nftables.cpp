#include "midstream/nftables.h"

#include <string_view>

#include "flow/text.h"

namespace headgate::midstream {
namespace {

/// The first line that says what is wrong; the rest points at the place in our own text.
std::string_view essence(std::string_view complaint) {
    while (!complaint.empty()) {
        const auto line = take_until(complaint, '\n');
        if (const auto start = line.find("Error: "); start != std::string_view::npos) return line.substr(start + 7);
    }
    return "no reason given";
}

}  // namespace

Result<Nftables> Nftables::open() {
    Nftables nftables{nft_ctx_new(NFT_CTX_DEFAULT)};
    nft_ctx* const context = nftables.context_.get();
    if (context == nullptr) return failed("libnftables cannot be used");
    if (nft_ctx_buffer_output(context) != 0 || nft_ctx_buffer_error(context) != 0) {
        return failed("libnftables: out of memory");
    }
    return nftables;
}

Result<void> Nftables::run(const std::string& commands) {
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
