// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/server/body.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace headgate::http {
namespace {

constexpr std::size_t kLongestChunkLine = 1024;
constexpr std::size_t kMostTrailerLines = 100;

/// Total of a body's chunk extensions. No client uses them, and they would bypass the limit on the body.
constexpr std::size_t kMostExtensions = 16UL * 1024;

constexpr std::size_t kMostDigits = 16;  ///< of a chunk's length, 64 bits; leading zeros may exceed it

constexpr std::size_t kFromStream = 64UL * 1024;

}  // namespace

Result<Framing> framing_of(const Fields& fields) {
    constexpr std::string_view kLength = "Content-Length";
    constexpr std::string_view kEncoding = "Transfer-Encoding";
    const auto lengths = times_given(fields, kLength);
    const auto encodings = times_given(fields, kEncoding);
    if (lengths + encodings > 1) return invalid("the length of the body is given twice");
    if (encodings == 1) {
        if (equal_ignoring_case(value_of(fields, kEncoding), "chunked")) return Framing{0, true};
        return invalid("{}: chunked is the only one that is understood", kEncoding);
    }
    if (lengths == 0) return Framing{};
    const auto bytes = parse_unsigned<std::uint64_t>(value_of(fields, kLength));
    if (!bytes) return invalid("{}: not a number", kLength);
    return Framing{*bytes, false};
}

BodyDecoder::BodyDecoder(const Framing& framing)
    : is_chunked_(framing.is_chunked),
      part_(framing.is_chunked    ? Part::ChunkSize
            : framing.length == 0 ? Part::End
                                  : Part::Data),
      left_(framing.length) {}

Result<std::string_view> BodyDecoder::decode(std::string_view& bytes) {
    RETURN_IF_ERROR(skip_framing(bytes));
    if (part_ != Part::Data) return std::string_view{};
    const auto piece = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size())));
    bytes.remove_prefix(piece.size());
    left_ -= piece.size();
    if (left_ == 0) part_ = is_chunked_ ? Part::ChunkEnd : Part::End;
    return piece;
}

Result<void> BodyDecoder::skip_framing(std::string_view& bytes) {
    while (!bytes.empty() && part_ != Part::Data && part_ != Part::End)
        RETURN_IF_ERROR(parse_line(bytes));
    return {};
}

/// Consumes as much of one line as has arrived.
Result<void> BodyDecoder::parse_line(std::string_view& bytes) {
    const auto end = bytes.find('\n');
    const auto piece = bytes.substr(0, end);
    if (line_.size() + piece.size() > kLongestChunkLine) {
        return make_error(ErrorKind::TooLarge, "a line between the chunks is longer than {} bytes", kLongestChunkLine);
    }
    line_.append(piece);
    bytes.remove_prefix(std::min(bytes.size(), piece.size() + 1));
    if (end == std::string_view::npos) return {};
    if (line_.ends_with('\r')) line_.pop_back();
    auto read = read_line();
    line_.clear();
    return read;
}

Result<void> BodyDecoder::read_line() {
    if (part_ == Part::ChunkSize) return begin_chunk();
    if (part_ == Part::Trailer) return read_trailer_line();
    if (!line_.empty()) return invalid("a chunk of the body is longer than it says");
    part_ = Part::ChunkSize;
    return {};
}

Result<void> BodyDecoder::begin_chunk() {
    std::string_view rest = line_;
    auto digits = take_until(rest, ';');
    extensions_ += rest.size() + (digits.size() > kMostDigits ? digits.size() - kMostDigits : 0);
    if (extensions_ > kMostExtensions) return invalid("the chunks of the body have too long extensions");
    while (digits.ends_with(' ') || digits.ends_with('\t'))
        digits.remove_suffix(1);
    const auto size = parse_unsigned<std::uint64_t>(digits, 16);
    if (!size) return invalid("a chunk of the body does not begin with its length");
    left_ = *size;
    part_ = left_ == 0 ? Part::Trailer : Part::Data;
    return {};
}

/// Trailer fields are validated and discarded (RFC 9112, section 7.1.2).
Result<void> BodyDecoder::read_trailer_line() {
    if (line_.empty()) {
        part_ = Part::End;
        return {};
    }
    if (++trailer_lines_ > kMostTrailerLines) return invalid("the body has too long a trailer");
    return parse_field(line_).map([](const auto&) {});
}

Result<std::string_view> BodyReader::read(Deadline until) {
    while (!decoder_.is_at_end()) {
        if (ahead_.empty()) {
            RETURN_IF_ERROR(fill(until));
        }
        auto piece = decoder_.decode(ahead_);
        if (!piece || !piece->empty()) return piece;
    }
    return std::string_view{};
}

Result<void> BodyReader::end_chunk(Deadline until) {
    while (decoder_.is_behind_chunk() && ahead_.empty())
        RETURN_IF_ERROR(fill(until).and_then([&] { return decoder_.skip_framing(ahead_); }));
    return decoder_.skip_framing(ahead_);
}

Result<void> BodyReader::fill(Deadline until) {
    ASSIGN_OR_RETURN(const auto bytes, stream_->read_some(kFromStream, until));
    if (bytes.empty()) {
        return make_error(ErrorKind::Disconnected, "the connection ended in the middle of a body");
    }
    ahead_ = bytes;
    return {};
}

Result<std::string> BodyReader::read_all(std::size_t at_most, Deadline until) {
    std::string body;
    for (;;) {
        ASSIGN_OR_RETURN(const auto bytes, read(until));
        if (bytes.empty()) return body;
        if (body.size() + bytes.size() > at_most) {
            return make_error(ErrorKind::TooLarge, "the body is longer than {} bytes", at_most);
        }
        body.append(bytes);
    }
}

Result<void> ChunkWriter::write(std::string_view bytes) {
    if (bytes.empty()) return {};  // an empty chunk would end the body
    const auto size = fmt::format("{:x}\r\n", bytes.size());
    return stream_.write(std::array<std::string_view, 3>{size, bytes, "\r\n"}, patience_);
}

Result<void> ChunkWriter::finish() {
    return stream_.write("0\r\n\r\n", patience_);
}

}  // namespace headgate::http
