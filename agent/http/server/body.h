// SPDX-License-Identifier: GPL-2.0-or-later
// Length and end of a message's body: by Content-Length, or in chunks (RFC 9112, sections 6 and 7).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "headgate/result.h"

#include "http/server/head.h"
#include "http/server/stream.h"

namespace headgate::http {

struct Framing {
    std::uint64_t length = 0;  ///< from Content-Length; 0 with chunks
    bool is_chunked = false;
};

/// An error where the header fields contradict each other. Without any of them there is no body.
[[nodiscard]] Result<Framing> framing_of(const Fields& fields);

/// Incremental decoder of a body that arrives in pieces of any size.
class BodyDecoder {
  public:
    explicit BodyDecoder(const Framing& framing);

    /// Removes framing and the following contiguous body bytes from the front, and returns the latter. Empty: more
    /// input is needed, or the body is complete.
    [[nodiscard]] Result<std::string_view> decode(std::string_view& bytes);

    /// Removes the framing before the next body bytes, but none of those bytes.
    [[nodiscard]] Result<void> skip_framing(std::string_view& bytes);

    [[nodiscard]] bool is_at_end() const { return part_ == Part::End; }

    /// The current chunk's data is complete, the line end that closes it has not arrived.
    [[nodiscard]] bool is_behind_chunk() const { return part_ == Part::ChunkEnd; }

  private:
    enum class Part : std::uint8_t { ChunkSize, Data, ChunkEnd, Trailer, End };

    [[nodiscard]] Result<void> parse_line(std::string_view& bytes);
    [[nodiscard]] Result<void> read_line();
    [[nodiscard]] Result<void> begin_chunk();
    [[nodiscard]] Result<void> read_trailer_line();

    bool is_chunked_;
    Part part_;
    std::uint64_t left_;          ///< bytes, of the body or of the current chunk
    std::string line_;            ///< the part that has arrived
    std::size_t extensions_ = 0;  ///< total bytes of chunk extensions
    std::size_t trailer_lines_ = 0;
};

/// Reads a body from a stream. A connection that closes early is an error, so a part is never taken for the whole.
class BodyReader {
  public:
    BodyReader(const Framing& framing, Stream& stream) : stream_(&stream), decoder_(framing) {}

    /// The next bytes, valid until the next call; empty at the end.
    [[nodiscard]] Result<std::string_view> read(Deadline until);

    /// Consumes the line end of a chunk just completed, so that has_more_at_hand() is false until the next chunk begins
    /// to arrive.
    [[nodiscard]] Result<void> end_chunk(Deadline until);

    /// Whether received input is left that read() has not returned, or the body has ended.
    [[nodiscard]] bool has_more_at_hand() const { return !ahead_.empty() || decoder_.is_at_end(); }

    /// The whole body. TooLarge where it is longer than `at_most`.
    [[nodiscard]] Result<std::string> read_all(std::size_t at_most, Deadline until);

  private:
    [[nodiscard]] Result<void> fill(Deadline until);

    Stream* stream_;
    BodyDecoder decoder_;
    std::string_view ahead_;  ///< received, not decoded yet; points into the stream's buffer
};

/// Writes a body in chunks.
class ChunkWriter {
  public:
    ChunkWriter(Stream& stream, std::chrono::milliseconds patience) : stream_(stream), patience_(patience) {}

    /// Sends one chunk at once, without copying it; the caller batches small pieces.
    [[nodiscard]] Result<void> write(std::string_view bytes);

    /// Sends the last chunk, without which the reader knows that the body is incomplete.
    [[nodiscard]] Result<void> finish();

  private:
    Stream& stream_;
    std::chrono::milliseconds patience_;
};

}  // namespace headgate::http
