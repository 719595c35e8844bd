// Reads dumps ahead: threads that do nothing but receive, so that the kernel's work and ours overlap.
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

/// Opens a fresh socket in the table's network namespace.
using SocketSource = std::function<Result<netlink::Socket>()>;

/// Asks for the dump that passes `filter` on a socket of its own.
[[nodiscard]] Result<netlink::Socket> begin_dump(const SocketSource& open_socket, const KernelFilter& filter);

/// The sequence number that begin_dump() gives the answers.
inline constexpr std::uint32_t kDumpSequence = 1;

/// One or more dumps at once, as one stream of pieces. Bounded: a reader that is ahead waits. One thread consumes.
class DumpStream {
  public:
    /// Of sockets on which a dump was begun.
    explicit DumpStream(std::vector<netlink::Socket> dumps);

    /// Starts a thread for each of them. Once, before next().
    [[nodiscard]] Result<void> start();

    /// Ends the readers, finished or not.
    ~DumpStream();
    DumpStream(const DumpStream&) = delete;
    DumpStream& operator=(const DumpStream&) = delete;

    /// The next piece of one of the dumps, valid until the next call; nothing after the last piece of all.
    [[nodiscard]] Result<std::optional<netlink::Bytes>> next();

  private:
    using Buffer = std::vector<std::byte>;

    void read(netlink::Socket& dump);
    void end_reader(std::optional<Error> fault);
    [[nodiscard]] std::optional<Buffer> take_free_buffer();
    [[nodiscard]] bool hand_over(Buffer buffer, const Result<netlink::Bytes>& piece);

    std::mutex mutex_;
    std::condition_variable filled_changed_, free_changed_;
    std::deque<std::pair<Buffer, Result<netlink::Bytes>>> filled_;
    std::vector<Buffer> free_;
    Buffer shown_;  ///< what next() gave last
    std::size_t running_ = 0;
    std::optional<Error> fault_;  ///< what a reader has thrown
    bool stopping_ = false;

    std::vector<netlink::Socket> dumps_;
    std::vector<std::jthread> readers_;  ///< last: they use all of the above
};

}  // namespace headgate::conntrack
