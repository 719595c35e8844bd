// SPDX-License-Identifier: GPL-2.0-or-later
// What every reader of JSON refuses, whichever version of simdjson is beneath it.
#include "flow/json_reader.h"

#include <gtest/gtest.h>

#include <limits>

namespace headgate {
namespace json_reader_test {

std::string error_of(std::string_view text) {
    const auto object = parse_json_object(text);
    return object ? "none" : object.error().message;
}

std::string nested(std::size_t levels, std::string_view innermost) {
    return "{\"a\":" + std::string(levels - 1, '[') + std::string{innermost} + std::string(levels - 1, ']') + "}";
}

TEST(JsonReader, reads_numbers_of_64_bits_exactly) {
    const auto object =
        parse_json_object(R"({"a":18446744073709551615,"b":-9223372036854775808,"c":9007199254740993,"d":-0})").value();
    EXPECT_EQ(object.number<std::uint64_t>("a"), std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(object.number<std::int64_t>("b"), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(object.number<std::uint64_t>("c"), 9007199254740993U);
    EXPECT_EQ(object.number<std::uint8_t>("d"), 0);
    EXPECT_EQ(object.number<std::int64_t>("a").error().message, "a: out of range");
    for (const auto* large : {"18446744073709551616", "-9223372036854775809", "123456789012345678901234567890"}) {
        EXPECT_EQ(error_of(fmt::format("{{\"a\":{}}}", large)),
                  "not valid JSON: a number is malformed, or too large for 64 bits");
    }
}

TEST(JsonReader, refuses_what_is_not_one_object_in_utf_8) {
    for (const auto* text :
         {"", " ", "{", "{}{}", "{} x", "{\"a\":1,}", "{'a':1}", "{\"a\":NaN}", "{\"a\":1}//", "{\"a\":\"\xFF\"}",
          "{\"a\":\"\xED\xA0\x80\"}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\\udc00\"}", "{\"a\":\"\n\"}", "\xEF\xBB\xBF{}"})
        EXPECT_TRUE(error_of(text).starts_with("not valid JSON")) << text << ": " << error_of(text);
    for (const auto* text : {"[]", "1", "null", "\"a\""})
        EXPECT_EQ(error_of(text), "not a JSON object") << text;
}

TEST(JsonReader, refuses_a_member_that_is_given_twice_wherever_it_is) {
    EXPECT_EQ(error_of(R"({"a":1,"b":2,"\u0061":3})"), "a: given twice");
    EXPECT_EQ(error_of(R"({"a":[{"b":{"c":1,"d":2,"c":null}}]})"), "c: given twice");
    EXPECT_EQ(error_of(R"({"a":{"b":1},"b":{"a":1}})"), "none");
}

TEST(JsonReader, refuses_what_is_nested_deeper_than_16_levels) {
    for (const auto* innermost : {"", "1", "\"a\""}) {
        EXPECT_EQ(error_of(nested(16, innermost)), "none") << innermost;
        EXPECT_EQ(error_of(nested(17, innermost)), "not valid JSON: nested deeper than 16 levels") << innermost;
    }
    EXPECT_TRUE(error_of(std::string(100'000, '[')).starts_with("not valid JSON"));
}

TEST(JsonReader, names_a_member_by_its_path) {
    const auto error = [](std::string_view text, JsonReader::Others others) {
        const auto read = read_json<std::vector<std::uint16_t>>(
            text,
            [](JsonReader& reader, auto& numbers) {
                reader.object("a", [&](JsonReader& a) {
                    a.objects("list", numbers,
                              [](JsonReader& each, std::uint16_t& slot) { each.optional_number("n", slot); });
                });
            },
            others);
        return read ? "none" : read.error().message;
    };
    using enum JsonReader::Others;
    EXPECT_EQ(error(R"({"a":{"list":[{},{"n":65536}]}})", Ignored), "a.list[1].n: out of range");
    EXPECT_EQ(error(R"({"a":{"list":[{"x":1}]}})", Ignored), "none");
    EXPECT_EQ(error(R"({"a":{"list":[{"x":1}]}})", Refused), "a.list[0].x: unknown; the members here are n");
    EXPECT_EQ(error(R"({"a":{"list":[{"n":null}]}})", Refused), "a.list[0].n: missing");
    EXPECT_EQ(error(R"({"a":{"list":[{"n":null,"x":null}]},"y":null})", RefusedUnlessNull), "none");
    EXPECT_EQ(error(R"({"a":null})", RefusedUnlessNull), "a: missing");
}

}  // namespace json_reader_test
}  // namespace headgate
