// SPDX-License-Identifier: GPL-2.0-or-later
// Incremental parser of a request that arrives in pieces of any size. It never blocks, takes linear time, and needs no
// more memory than the limits allow.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"
#include "http/server/body.h"
#include "http/server/head.h"

namespace headgate::http {

/// Size limits of a request.
struct RequestLimits {
    std::size_t header = 64UL * 1024;  ///< bytes, up to and including the empty line
    std::size_t fields = 100;          ///< number of header fields
    std::size_t body = 128UL * 1024;
};

/// Why a request is rejected.
struct RequestError {
    int status = 400;
    std::string detail;
};

class RequestReader {
  public:
    /// `blank`: a request with what is known before it arrives, such as the peer.
    RequestReader(const RequestLimits& limits, Request blank) : limits_(limits), request_(std::move(blank)) {}

    /// Consumes the request's bytes from the front, until the request is complete or rejected.
    void receive(std::string_view& bytes);

    [[nodiscard]] bool has_begun() const { return stage_ != Stage::Head || !text_.empty(); }
    [[nodiscard]] bool has_head() const { return head_.has_value(); }
    [[nodiscard]] bool is_whole() const { return stage_ == Stage::Whole; }
    [[nodiscard]] const std::optional<RequestError>& error() const { return error_; }

    /// Whether to send 100 Continue now; true once.
    [[nodiscard]] bool take_expectation() { return std::exchange(is_expected_, false); }

    /// Requires has_head().
    [[nodiscard]] const RequestHead& head() const { return *head_; }

    /// As far as parsed.
    [[nodiscard]] Request& request() { return request_; }

    /// Bytes of memory that it holds.
    [[nodiscard]] std::size_t held() const { return text_.size() + request_.body.size(); }

  private:
    enum class Stage : std::uint8_t { Head, Body, Whole, Refused };

    void receive_head_line(std::string_view& bytes);
    void end_head();
    void receive_body(std::string_view& bytes);
    void object(int status, std::string_view detail);

    RequestLimits limits_;
    Request request_;
    Stage stage_ = Stage::Head;
    std::string text_;             ///< of the head
    std::size_t line_ = 0;         ///< offset of the current line
    std::size_t lines_ = 0;        ///< complete lines
    std::size_t passed_over_ = 0;  ///< bytes of empty lines before the request line
    std::optional<RequestHead> head_;
    std::optional<BodyDecoder> body_;
    std::optional<RequestError> error_;
    bool is_expected_ = false;
};

}  // namespace headgate::http
