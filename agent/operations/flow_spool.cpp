// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/flow_spool.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <type_traits>

#include "files/file_descriptor.h"

namespace headgate::operations {
namespace {

static_assert(std::is_trivially_copyable_v<FlowRow>, "rows go through a file as they are");

constexpr std::size_t kRowsInMemory = 4096;  // about 1.4 MiB
constexpr std::size_t kRowsPerSync = 4096;   // each block is journaled with a disk sync

}  // namespace

Result<void> FlowSpool::append(std::span<const FlowRow> rows) {
    const auto kept = rows.first(std::min(rows.size(), kRowsInMemory - head_.size()));
    head_.insert(head_.end(), kept.begin(), kept.end());
    size_ += kept.size();
    const auto spilled = rows.subspan(kept.size());
    if (spilled.empty()) return {};
    if (!tail_) tail_ = open_tail();
    if (!tail_ || std::fwrite(spilled.data(), sizeof(FlowRow), spilled.size(), tail_.get()) != spilled.size()) {
        return system_error(errno, "keeping the identified flows in a temporary file");
    }
    size_ += spilled.size();
    return {};
}

FlowSpool::File FlowSpool::open_tail() const {
    if (File file{std::tmpfile()}) return file;
    FileDescriptor unnamed{::open(folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)};
    File file{unnamed.is_open() ? ::fdopen(unnamed.get(), "w+") : nullptr};
    if (file) static_cast<void>(unnamed.release());
    return file;
}

Result<void> FlowSpool::seal() {
    if (!tail_ || std::fflush(tail_.get()) == 0) return {};
    return system_error(errno, "keeping the identified flows in a temporary file");
}

Result<void> FlowSpool::for_each_block(const std::function<Result<void>(std::span<const FlowRow>)>& take) {
    for (std::span<const FlowRow> rest{head_}; !rest.empty();) {
        const auto block = rest.first(std::min(rest.size(), kRowsPerSync));
        RETURN_IF_ERROR(take(block));
        rest = rest.subspan(block.size());
    }
    if (!tail_) return {};
    RETURN_IF_ERROR(seal());
    std::rewind(tail_.get());
    std::vector<FlowRow> block(kRowsPerSync);
    for (std::uint64_t left = size_ - head_.size(); left > 0;) {
        const std::size_t read =
            std::fread(block.data(), sizeof(FlowRow), std::min<std::uint64_t>(left, block.size()), tail_.get());
        if (read == 0) return system_error(EIO, "reading the identified flows back from a temporary file");
        RETURN_IF_ERROR(take(std::span{block}.first(read)));
        left -= read;
    }
    return {};
}

}  // namespace headgate::operations
