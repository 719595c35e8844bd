// SPDX-License-Identifier: GPL-2.0-or-later
// Reads dumps ahead: threads that only receive, so that the kernel's work and the consumer's overlap.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "headgate/result.h"

#include "conntrack/scan_plan.h"
#include "netlink/socket.h"

namespace headgate::conntrack {

/// Opens a new socket in the table's network namespace.
using SocketSource = std::function<Result<netlink::Socket>()>;

/// Requests a dump of the entries that pass `filter`, on a socket of its own.
[[nodiscard]] Result<netlink::Socket> begin_dump(const SocketSource& open_socket, const KernelFilter& filter);

/// Sequence number of the answers to begin_dump().
inline constexpr std::uint32_t kDumpSequence = 1;

/// Concurrent dumps as one stream of pieces. Bounded: a reader that is ahead waits. For one consumer thread.
class DumpStream {
  public:
    /// `dumps`: sockets from begin_dump().
    explicit DumpStream(std::vector<netlink::Socket> dumps);

    /// Starts one thread per dump. Call once, before next().
    [[nodiscard]] Result<void> start();

    /// Stops the readers, finished or not.
    ~DumpStream();
    DumpStream(const DumpStream&) = delete;
    DumpStream& operator=(const DumpStream&) = delete;

    /// The next piece of any dump, valid until the next call; nothing after the last piece of all dumps.
    [[nodiscard]] Result<std::optional<netlink::Bytes>> next();

  private:
    using Buffer = std::vector<std::byte>;

    void read(netlink::Socket& dump);
    void end_reader(std::optional<Error> fault);
    [[nodiscard]] std::optional<Buffer> wait_for_buffer();
    [[nodiscard]] bool hand_over(Buffer buffer, const Result<netlink::Bytes>& piece);

    std::mutex mutex_;
    std::condition_variable filled_changed_, free_changed_;
    std::deque<std::pair<Buffer, Result<netlink::Bytes>>> filled_;
    std::vector<Buffer> free_;
    Buffer shown_;  ///< the buffer that next() returned last
    std::size_t running_ = 0;
    std::optional<Error> fault_;  ///< exception thrown in a reader
    bool stopping_ = false;

    std::vector<netlink::Socket> dumps_;
    std::vector<std::jthread> readers_;  ///< last member: the threads use all of the above
};

}  // namespace headgate::conntrack
