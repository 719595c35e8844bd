#include "http/server/body.h"

#include <fmt/format.h>

#include <cerrno>
#include <iterator>

#include "flow/text.h"

namespace headgate::http {
namespace {

constexpr std::size_t kLongestChunkLine = 1024;
constexpr std::size_t kMostTrailerLines = 100;
constexpr std::size_t kChunk = 64 * 1024;

using Fields = Poco::Net::HTTPMessage;

std::size_t times_given(const Fields& fields, const std::string& name) {
    std::size_t count = 0;
    for (auto field = fields.find(name); field != fields.end() && equal_ignoring_case(field->first, name); ++field)
        ++count;
    return count;
}

}  // namespace

Result<BodyReader> BodyReader::of(const Fields& message, Wire& wire) {
    const auto& length = Fields::CONTENT_LENGTH;
    const auto& encoding = Fields::TRANSFER_ENCODING;
    const auto lengths = times_given(message, length);
    const auto encodings = times_given(message, encoding);
    if (lengths + encodings > 1) return invalid("the length of the body is given twice");
    if (encodings == 1) {
        if (!equal_ignoring_case(message.get(encoding), "chunked")) {
            return invalid("{}: chunked is the only one that is understood", encoding);
        }
        return BodyReader{wire, 0, true};
    }
    if (lengths == 0) return BodyReader{wire, 0, false};
    const auto bytes = parse_unsigned<std::uint64_t>(message.get(length));
    if (!bytes) return invalid("{}: not a number", length);
    return BodyReader{wire, *bytes, false};
}

Result<std::string_view> BodyReader::read(Deadline until) {
    if (chunked_ && left_ == 0) {
        auto begun = end_chunk(until).and_then([&] { return begin_chunk(until); });
        if (!begun) return tl::unexpected(std::move(begun.error()));
    }
    if (left_ == 0) return std::string_view{};
    auto bytes = wire_->read_some(static_cast<std::size_t>(std::min<std::uint64_t>(left_, kChunk)), until);
    if (!bytes) return bytes;
    if (bytes->empty()) {
        return tl::unexpected(Error{ErrorKind::Failed, "the connection ended in the middle of a body", ECONNRESET});
    }
    left_ -= bytes->size();
    return bytes;
}

Result<void> BodyReader::end_chunk(Deadline until) {
    if (left_ != 0 || !inside_) return {};
    const auto end = wire_->read_line(kLongestChunkLine, until);
    if (!end) return tl::unexpected(end.error());
    inside_ = false;
    return end->empty() ? Result<void>{} : invalid("a chunk of the body is longer than it says");
}

Result<void> BodyReader::begin_chunk(Deadline until) {
    const auto line = wire_->read_line(kLongestChunkLine, until);
    if (!line) return tl::unexpected(line.error());
    std::string_view rest = *line;
    auto digits = take_until(rest, ';');
    while (digits.ends_with(' ') || digits.ends_with('\t'))
        digits.remove_suffix(1);
    const auto size = parse_unsigned<std::uint64_t>(digits, 16);
    if (!size) return invalid("a chunk of the body does not begin with its length");
    left_ = *size;
    inside_ = left_ != 0;
    if (inside_) return {};
    chunked_ = false;
    return read_trailer(until);
}

Result<void> BodyReader::read_trailer(Deadline until) {
    for (std::size_t lines = 0; lines < kMostTrailerLines; ++lines) {
        const auto line = wire_->read_line(kLongestChunkLine, until);
        if (!line) return tl::unexpected(line.error());
        if (line->empty()) return {};
    }
    return invalid("the body has too long a trailer");
}

Result<std::string> BodyReader::read_all(std::size_t at_most, Deadline until) {
    const auto too_long =
        tl::unexpected(Error{ErrorKind::Invalid, fmt::format("the body is longer than {} bytes", at_most), EMSGSIZE});
    if (left_ > at_most) return too_long;
    std::string body;
    for (;;) {
        const auto bytes = read(until);
        if (!bytes) return tl::unexpected(bytes.error());
        if (bytes->empty()) return body;
        if (body.size() + bytes->size() > at_most) return too_long;
        body.append(*bytes);
    }
}

Result<void> ChunkWriter::write(std::string_view bytes) {
    if (bytes.empty()) return {};  // which would be the last one
    chunk_.clear();
    fmt::format_to(std::back_inserter(chunk_), "{:x}\r\n", bytes.size());
    chunk_.append(bytes).append("\r\n");
    return wire_.write(chunk_, patience_);
}

Result<void> ChunkWriter::finish() {
    return wire_.write("0\r\n\r\n", patience_);
}

}  // namespace headgate::http
