// SPDX-License-Identifier: GPL-2.0-or-later
// Parses a request from the bytes of a connection, in pieces of any size.
#include "http/server/request_reader.h"

#include <gtest/gtest.h>

namespace headgate::http {
namespace request_reader_test {

RequestReader reader() {
    return RequestReader{{}, {}};
}

/// The reader after it has parsed the text in pieces of this size, up to the end of the first request.
RequestReader read(std::string_view text, std::size_t piece) {
    auto request = reader();
    while (!text.empty() && !request.is_whole() && !request.error()) {
        auto bytes = text.substr(0, piece);
        const auto size = bytes.size();
        request.receive(bytes);
        text.remove_prefix(size - bytes.size());
    }
    return request;
}

int status_of(std::string_view text) {
    const auto request = read(text, text.size());
    return request.error() ? request.error()->status : request.is_whole() ? 200 : 0;
}

TEST(TheRequestReader, takes_pieces_of_any_size) {
    const std::string_view text =
        "\r\nPOST /v1/operations?limit=1 HTTP/1.1\r\nHost: a\r\nX: 1\r\nx: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3;a=b\r\nabc\r\n002\r\nde\r\n0\r\nTrailer: x\r\n\r\n";
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        auto request = read(text, piece);
        ASSERT_TRUE(request.is_whole()) << piece;
        EXPECT_EQ(request.request().method, "POST");
        EXPECT_EQ(request.request().path, "/v1/operations");
        EXPECT_EQ(request.request().header("X"), "1, 2");
        EXPECT_EQ(request.request().body, "abcde");
    }
}

TEST(TheRequestReader, leaves_what_comes_behind_the_request) {
    std::string_view text = "PUT / HTTP/1.0\nContent-Length: 2\n\nabGET /";
    auto request = reader();
    request.receive(text);
    EXPECT_TRUE(request.is_whole());
    EXPECT_EQ(text, "GET /");
}

TEST(TheRequestReader, takes_one_host_with_http_1_1_and_one_at_most_with_http_1_0) {
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 200) << "RFC 9110, section 7.2";
    EXPECT_EQ(status_of("GET / HTTP/1.0\r\n\r\n"), 200);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET http://a/ HTTP/1.1\r\n\r\n"), 400) << "though the target names it";
    for (const auto* host : {"a b", "a/b", "a@b", "a:x", "[::1", "[", "[]", "a:1:2"})
        EXPECT_EQ(status_of(fmt::format("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", host)), 400) << host;
}

TEST(TheRequestReader, takes_lines_with_a_colon_alone) {
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nname\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\n: value\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nname : value\r\n\r\n"), 400);
    EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nname\r\n\r\n"), 400);
}

TEST(TheRequestReader, accepts_no_more_than_its_limits) {
    const auto with_fields = [](int count) {
        std::string text = "GET / HTTP/1.1\r\nHost: a\r\n";
        for (int i = 1; i < count; ++i)
            text += "a:\r\n";
        return text + "\r\n";
    };
    EXPECT_EQ(status_of(with_fields(100)), 200);
    EXPECT_EQ(status_of(with_fields(101)), 431);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: " + std::string(70'000, 'a')), 431);
    std::string blank;
    for (int i = 0; i < 40'000; ++i)
        blank += "\r\n";
    EXPECT_EQ(status_of(blank), 431) << "nothing but empty lines";
    const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
    EXPECT_EQ(status_of(post + "Content-Length: 131073\r\n\r\n"), 413);
    EXPECT_EQ(status_of(post + "Transfer-Encoding: chunked\r\n\r\n20001\r\n" + std::string(131'073, 'x')), 413);
}

TEST(TheRequestReader, takes_no_more_framing_than_anybody_needs) {
    std::string extended = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    std::string zeros = extended;
    for (int i = 0; i < 20; ++i) {
        extended += "1;" + std::string(1000, 'x') + "\r\na\r\n";
        zeros += std::string(1000, '0') + "1\r\na\r\n";
    }
    EXPECT_EQ(status_of(extended), 400);
    EXPECT_EQ(status_of(zeros), 400);
    EXPECT_EQ(status_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400)
        << "RFC 9112, section 6.1";
}

TEST(TheRequestReader, keeps_the_connection_where_both_sides_can) {
    const auto keeps = [](std::string_view text) { return read(text, text.size()).head().keeps_alive(); };
    EXPECT_TRUE(keeps("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nHost: a\r\nConnection: TE, Close\r\n\r\n"));
    EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
    EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST(TheRequestReader, asks_for_a_body_that_waits_for_a_word_once) {
    auto request = read("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", 1000);
    EXPECT_TRUE(request.take_expectation());
    EXPECT_FALSE(request.take_expectation());
}

TEST(AWholeUrl, is_taken_apart_and_its_host_counts) {
    auto request = read("GET http://[::1]:8443?limit=1 HTTP/1.1\r\nHost: b\r\n\r\n", 1000);
    ASSERT_TRUE(request.is_whole());
    EXPECT_EQ(request.request().path, "/");
    EXPECT_EQ(request.request().query_text, "limit=1");
    EXPECT_EQ(request.request().header("Host"), "[::1]:8443");
}

}  // namespace request_reader_test
}  // namespace headgate::http
