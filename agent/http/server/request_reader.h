// A request out of the bytes of a connection, in whatever pieces they come: nobody waits for the next one in here.
// Takes linear time, and no more memory than the limits say.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"
#include "http/server/body.h"
#include "http/server/head.h"

namespace headgate::http {

/// How large a request may be.
struct RequestLimits {
    std::size_t header = 64UL * 1024;  ///< bytes up to the empty line
    std::size_t fields = 100;          ///< header fields
    std::size_t body = 128UL * 1024;
};

/// What speaks against a request.
struct Objection {
    int status = 400;
    std::string detail;
};

class RequestReader {
  public:
    /// `blank`: what is known of the request before it comes.
    RequestReader(const RequestLimits& limits, Request blank) : limits_(limits), request_(std::move(blank)) {}

    /// Takes off the front what belongs to the request; takes no more once it is there or something speaks against it.
    void take(std::string_view& bytes);

    [[nodiscard]] bool has_begun() const { return stage_ != Stage::Head || !text_.empty(); }
    [[nodiscard]] bool has_head() const { return head_.has_value(); }
    [[nodiscard]] bool is_whole() const { return stage_ == Stage::Whole; }
    [[nodiscard]] const std::optional<Objection>& objection() const { return objection_; }

    /// Whether the client is to be told to go on; true once.
    [[nodiscard]] bool take_expectation() { return std::exchange(is_expected_, false); }

    /// Once it is there.
    [[nodiscard]] const RequestHead& head() const { return *head_; }

    /// As far as it has come.
    [[nodiscard]] Request& request() { return request_; }

    /// Bytes that are kept of it.
    [[nodiscard]] std::size_t held() const { return text_.size() + request_.body.size(); }

  private:
    enum class Stage : std::uint8_t { Head, Body, Whole, Refused };

    void take_head_line(std::string_view& bytes);
    void end_head();
    void take_body(std::string_view& bytes);
    void object(int status, std::string_view detail);

    RequestLimits limits_;
    Request request_;
    Stage stage_ = Stage::Head;
    std::string text_;             ///< of the head
    std::size_t line_ = 0;         ///< where the line begins that is coming
    std::size_t lines_ = 0;        ///< that have come
    std::size_t passed_over_ = 0;  ///< bytes before the first line
    std::optional<RequestHead> head_;
    std::optional<BodyDecoder> body_;
    std::optional<Objection> objection_;
    bool is_expected_ = false;
};

}  // namespace headgate::http
