// How long a message's body is, and where it ends: by its length, or in chunks (RFC 9112, sections 6 and 7).
#pragma once

#include <Poco/Net/HTTPMessage.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "headgate/result.h"

#include "http/server/wire.h"

namespace headgate::http {

/// Reads a body to its end. A connection that ends before is an error: a part is never taken for the whole.
class BodyReader {
  public:
    /// An error where the fields of the header contradict each other. Without any of them there is no body.
    [[nodiscard]] static Result<BodyReader> of(const Poco::Net::HTTPMessage& message, Wire& wire);

    /// The next bytes; empty at the end. They are gone with the next call.
    [[nodiscard]] Result<std::string_view> read(Deadline until);

    /// Takes what stands between two chunks, where one has just come to its end: then nothing waits until the next one
    /// begins to come.
    [[nodiscard]] Result<void> end_chunk(Deadline until);

    /// All of it. EMSGSIZE where it is longer.
    [[nodiscard]] Result<std::string> read_all(std::size_t at_most, Deadline until);

    /// Of the body, where its length was given; otherwise of the chunk in hand.
    [[nodiscard]] std::uint64_t left() const { return left_; }

    [[nodiscard]] bool is_at_end() const { return left_ == 0 && !chunked_; }

  private:
    BodyReader(Wire& wire, std::uint64_t length, bool chunked) : wire_(&wire), left_(length), chunked_(chunked) {}
    [[nodiscard]] Result<void> begin_chunk(Deadline until);
    [[nodiscard]] Result<void> read_trailer(Deadline until);

    Wire* wire_;
    std::uint64_t left_;   ///< of the body, or of the chunk in hand
    bool chunked_;         ///< and the last chunk has not come yet
    bool inside_ = false;  ///< a chunk, whose line end has not come yet
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
