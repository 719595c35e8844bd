// How long a message's body is, and where it ends: by its length, or in chunks (RFC 9112, sections 6 and 7).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "headgate/result.h"

#include "http/server/head.h"
#include "http/server/wire.h"

namespace headgate::http {

struct Framing {
    std::uint64_t length = 0;  ///< where it is given
    bool is_chunked = false;
};

/// An error where the fields of the header contradict each other. Without any of them there is no body.
[[nodiscard]] Result<Framing> framing_of(const Fields& fields);

/// Finds the body in the bytes that come, in whatever pieces.
class BodyDecoder {
  public:
    explicit BodyDecoder(const Framing& framing);

    /// Takes off the front up to the next bytes of the body, and those: as many as follow each other. Empty: none have
    /// come, or it is at its end.
    [[nodiscard]] Result<std::string_view> take(std::string_view& bytes);

    /// Takes what stands before the next bytes of the body, and none of those.
    [[nodiscard]] Result<void> skip_framing(std::string_view& bytes);

    [[nodiscard]] bool is_at_end() const { return part_ == Part::End; }

    /// A chunk has come to its end, and what closes it has not come yet.
    [[nodiscard]] bool is_behind_chunk() const { return part_ == Part::ChunkEnd; }

  private:
    enum class Part : std::uint8_t { ChunkSize, Data, ChunkEnd, Trailer, End };

    [[nodiscard]] Result<void> take_line(std::string_view& bytes);
    [[nodiscard]] Result<void> read_line();
    [[nodiscard]] Result<void> begin_chunk();
    [[nodiscard]] Result<void> read_trailer_line();

    bool is_chunked_;
    Part part_;
    std::uint64_t left_;          ///< of the body, or of the chunk in hand
    std::string line_;            ///< as much of it as has come
    std::size_t extensions_ = 0;  ///< bytes of chunk extensions
    std::size_t trailer_lines_ = 0;
};

/// Reads a body off a wire to its end. A connection that ends before is an error: a part is never taken for the whole.
class BodyReader {
  public:
    BodyReader(const Framing& framing, Wire& wire) : wire_(&wire), decoder_(framing) {}

    /// The next bytes; empty at the end. They are gone with the next call.
    [[nodiscard]] Result<std::string_view> read(Deadline until);

    /// Takes what stands between two chunks, where one has just come to its end: then nothing is at hand until the next
    /// one begins to come.
    [[nodiscard]] Result<void> end_chunk(Deadline until);

    /// Whether something has come that read() has not told.
    [[nodiscard]] bool has_more_at_hand() const { return !ahead_.empty() || decoder_.is_at_end(); }

    /// All of it. EMSGSIZE where it is longer.
    [[nodiscard]] Result<std::string> read_all(std::size_t at_most, Deadline until);

  private:
    [[nodiscard]] Result<void> fill(Deadline until);

    Wire* wire_;
    BodyDecoder decoder_;
    std::string_view ahead_;  ///< has come, and is not decoded yet; in the wire's buffer
};

/// Writes a body in chunks.
class ChunkWriter {
  public:
    ChunkWriter(Wire& wire, std::chrono::milliseconds patience) : wire_(wire), patience_(patience) {}

    /// One chunk, sent at once: whoever has many bytes hands them over in large pieces.
    [[nodiscard]] Result<void> write(std::string_view bytes);

    /// The last chunk. Without it the reader knows that something is missing.
    [[nodiscard]] Result<void> finish();

  private:
    Wire& wire_;
    std::chrono::milliseconds patience_;
    std::string chunk_;
};

}  // namespace headgate::http
