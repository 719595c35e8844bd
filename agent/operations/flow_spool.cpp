// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/flow_spool.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "files/file_descriptor.h"

namespace headgate::operations {
namespace {

constexpr std::size_t kRowsInMemory = 4096;  // about 1 MiB
constexpr std::size_t kRowsPerSync = 4096;   // each block is journaled with a disk sync

tl::unexpected<Error> spool_error(int number) {
    return system_error(number, "keeping the identified flows in a temporary file");
}

}  // namespace

Result<void> FlowSpool::append(std::span<const FlowRow> rows) {
    const auto kept = rows.first(std::min(rows.size(), kRowsInMemory - head_.size()));
    head_.insert(head_.end(), kept.begin(), kept.end());
    size_ += kept.size();
    for (const auto& row : rows.subspan(kept.size())) {
        block_.add(row);
        ++size_;
        if (block_.count() < kRowsPerSync) continue;
        RETURN_IF_ERROR(write_block());
    }
    return {};
}

Result<void> FlowSpool::write_block() {
    if (block_.count() == 0) return {};
    if (!tail_) tail_ = open_tail();
    if (!tail_) return spool_error(errno);
    const auto& bytes = block_.rows();
    const std::size_t size = bytes.size();
    if (std::fwrite(&size, sizeof size, 1, tail_.get()) != 1 || std::fwrite(bytes.data(), size, 1, tail_.get()) != 1) {
        return spool_error(errno);
    }
    block_ = {};
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
    RETURN_IF_ERROR(write_block());
    if (!tail_ || std::fflush(tail_.get()) == 0) return {};
    return spool_error(errno);
}

Result<void> FlowSpool::for_each_block(const std::function<Result<void>(std::span<const FlowRow>)>& sink) {
    for (std::span<const FlowRow> rest{head_}; !rest.empty();) {
        const auto block = rest.first(std::min(rest.size(), kRowsPerSync));
        RETURN_IF_ERROR(sink(block));
        rest = rest.subspan(block.size());
    }
    RETURN_IF_ERROR(seal());
    if (tail_) std::rewind(tail_.get());
    PackedBytes bytes;
    for (std::uint64_t left = size_ - head_.size(); left > 0;) {
        std::size_t size = 0;
        if (std::fread(&size, sizeof size, 1, tail_.get()) == 1) bytes.resize(size);
        if (size == 0 || std::fread(bytes.data(), size, 1, tail_.get()) != 1) {
            return system_error(EIO, "reading the identified flows back from a temporary file");
        }
        ASSIGN_OR_RETURN(const auto& rows, unpack(bytes));
        RETURN_IF_ERROR(sink(rows));
        left -= rows.size();
    }
    return {};
}

}  // namespace headgate::operations
