// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/server/request_reader.h"

namespace headgate::http {

void RequestReader::receive(std::string_view& bytes) {
    while (!bytes.empty() && stage_ == Stage::Head)
        receive_head_line(bytes);
    while (!bytes.empty() && stage_ == Stage::Body)
        receive_body(bytes);
}

/// Consumes as much of one line as has arrived.
void RequestReader::receive_head_line(std::string_view& bytes) {
    const auto end = bytes.find('\n');
    const auto piece = bytes.substr(0, end == std::string_view::npos ? end : end + 1);
    if (text_.size() + passed_over_ + piece.size() > limits_.header) {
        return object(431, fmt::format("the header is longer than {} bytes", limits_.header));
    }
    text_.append(piece);
    bytes.remove_prefix(piece.size());
    if (end == std::string_view::npos) return;
    const auto line = std::string_view{text_}.substr(line_);
    const bool is_empty = line == "\r\n" || line == "\n";
    if (is_empty && lines_ == 0) {  // ignored (RFC 9112, section 2.2)
        passed_over_ += text_.size();
        text_.clear();
        return;
    }
    if (is_empty) return end_head();
    if (++lines_ > limits_.fields + 1) {
        return object(431, fmt::format("there are more than {} header fields", limits_.fields));
    }
    line_ = text_.size();
}

void RequestReader::end_head() {
    auto head = parse_head(text_);
    text_ = {};
    if (!head) return object(400, head.error().message);
    head_ = std::move(*head);
    if (const auto filled = fill_request(*head_, request_); !filled) return object(400, filled.error().message);
    const auto framing = framing_of(head_->fields);
    if (!framing) return object(400, framing.error().message);
    if (framing->is_chunked && head_->is_http_1_0) {  // RFC 9112, section 6.1
        return object(400, "Transfer-Encoding: HTTP/1.0 has none");
    }
    if (framing->length > limits_.body)
        return object(413, fmt::format("the body is longer than {} bytes", limits_.body));
    body_ = BodyDecoder{*framing};
    stage_ = body_->is_at_end() ? Stage::Whole : Stage::Body;
    is_expected_ = stage_ == Stage::Body && head_->expects_continue();
}

void RequestReader::receive_body(std::string_view& bytes) {
    const auto piece = body_->decode(bytes);
    if (!piece) return object(piece.error().kind == ErrorKind::TooLarge ? 413 : 400, piece.error().message);
    if (request_.body.size() + piece->size() > limits_.body) {
        return object(413, fmt::format("the body is longer than {} bytes", limits_.body));
    }
    request_.body.append(*piece);
    if (body_->is_at_end()) stage_ = Stage::Whole;
}

void RequestReader::object(int status, std::string_view detail) {
    error_ = RequestError{status, std::string{detail}};
    stage_ = Stage::Refused;
}

}  // namespace headgate::http
