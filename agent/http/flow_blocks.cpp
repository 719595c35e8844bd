// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/flow_blocks.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include "operations/packed_bytes.h"

namespace headgate::http {
namespace {

constexpr std::size_t kHead = 2 * sizeof(std::uint64_t) + 2 * sizeof(std::uint32_t);

/// Bytes, of rows or outcomes: far more than any store puts into a block.
constexpr std::size_t kMost = 16UL * 1024 * 1024;

std::string_view text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

Result<void> send_block(const PackedFlows& block, const BodySink& send) {
    operations::PackedWriter<kHead> head;
    head.fixed(block.first);
    head.fixed(block.count);
    head.fixed(static_cast<std::uint32_t>(block.rows.size()));
    head.fixed(static_cast<std::uint32_t>(block.outcomes.size()));
    return send(text_of(head.bytes())).and_then([&] { return send(text_of(block.rows)); }).and_then([&] {
        return send(text_of(block.outcomes));
    });
}

Result<void> FlowBlocks::feed(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto [part, size] = arriving();
        const auto piece = bytes.substr(0, size - part->size());
        bytes.remove_prefix(piece.size());
        const auto added = std::as_bytes(std::span{piece});
        part->insert(part->end(), added.begin(), added.end());
        if (part == &head_ && head_.size() == kHead) RETURN_IF_ERROR(begin_block());
        if (head_.size() < kHead || block_.rows.size() < rows_ || block_.outcomes.size() < outcomes_) continue;
        head_.clear();
        RETURN_IF_ERROR(sink_(std::exchange(block_, {})));
    }
    return {};
}

FlowBlocks::Part FlowBlocks::arriving() {
    if (head_.size() < kHead) return {&head_, kHead};
    if (block_.rows.size() < rows_) return {&block_.rows, rows_};
    return {&block_.outcomes, outcomes_};
}

Result<void> FlowBlocks::begin_block() {
    operations::PackedReader head{head_};
    block_.first = head.fixed<std::uint64_t>();
    block_.count = head.fixed<std::uint64_t>();
    rows_ = head.fixed<std::uint32_t>();
    outcomes_ = head.fixed<std::uint32_t>();
    if (block_.count == 0 || rows_ == 0) return failed("the agent's answer has a block without flows");
    if (std::max(rows_, outcomes_) > kMost)
        return failed("the agent's answer has a block of more than {} bytes", kMost);
    block_.rows.reserve(rows_);
    block_.outcomes.reserve(outcomes_);
    return {};
}

Result<void> FlowBlocks::finish() const {
    return head_.empty() ? Result<void>{} : failed("the agent's answer ends in the middle of a block of flows");
}

}  // namespace headgate::http
