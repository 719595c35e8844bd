// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/console/console.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>

namespace headgate::http {
namespace console_test {

Request asking_for(std::string path, std::string accept_encoding = {}) {
    Request request;
    request.method = "GET";
    request.path = std::move(path);
    if (!accept_encoding.empty()) request.headers["Accept-Encoding"] = std::move(accept_encoding);
    return request;
}

std::string header_of(const Response& answer, std::string_view name) {
    for (const auto& [field, value] : answer.headers)
        if (field == name) return value;
    return {};
}

std::string text_at(const std::string& path) {
    return console_answer(asking_for(path)).value().body;
}

/// The first capture group of each match.
std::set<std::string> all_of(const std::string& text, const std::string& pattern) {
    const std::regex expression{pattern};
    std::set<std::string> found;
    for (std::sregex_iterator match{text.begin(), text.end(), expression}, end; match != end; ++match)
        found.insert((*match)[1]);
    return found;
}

std::set<std::string> scripts() {
    std::set<std::string> paths;
    for (const auto& asset : console_assets())
        if (asset.content_type.starts_with("text/javascript")) paths.emplace(asset.path);
    return paths;
}

/// `./api.js` in `/console/HASH/pages/log.js` resolves to `/console/HASH/pages/api.js`.
std::string resolved(std::string base, std::string_view relative) {
    base.erase(base.rfind('/'));
    for (relative.remove_prefix(relative.starts_with("./") ? 2 : 0); relative.starts_with("../");
         relative.remove_prefix(3))
        base.erase(base.rfind('/'));
    return base + "/" + std::string{relative};
}

TEST(Console, has_one_page_and_everything_that_it_names) {
    const auto page = console_answer(asking_for("/")).value();
    EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
    const auto named = all_of(page.body, R"re((?:src|href)="([^"]*)")re");
    EXPECT_EQ(named.size(), 3U);
    for (const auto& each : named)
        EXPECT_TRUE(is_of_console(asking_for("/" + each))) << each;
}

TEST(Console, its_scripts_find_each_other) {
    std::set<std::string> reached;
    for (const auto& path : scripts()) {
        for (const auto& import : all_of(text_at(path), R"re(from "([^"]*)")re")) {
            EXPECT_TRUE(scripts().contains(resolved(path, import))) << path << " takes from " << import;
            reached.insert(resolved(path, import));
        }
        if (path.ends_with("/main.js")) reached.insert(path);
    }
    EXPECT_EQ(reached, scripts()) << "an unused script";
}

TEST(Console, knows_the_kinds_of_operations_as_they_are) {
    const auto all = scripts();
    const auto path = std::ranges::find_if(all, [](const auto& each) { return each.ends_with("/kinds.js"); });
    ASSERT_NE(path, all.end());
    const auto text = text_at(*path);
    for (std::size_t i = 0; i < kOperationKinds.size(); ++i) {
        const auto& kind = kOperationKinds[i];
        const auto facts = fmt::format(
            "{}: {{\n        verb: \"{}\", changesFlows: {}, hasOutcomes: {}, hasEarlyFlows: {}, hasVerdicts: {},",
            kNames<OperationType>[i], kind.verb, kind.changes_flows, kind.has_outcomes, kind.has_early_flows,
            kind.has_verdicts);
        EXPECT_NE(text.find(facts), std::string::npos) << facts;
    }
}

TEST(Console, nothing_is_written_into_the_page_itself_or_fetched_from_elsewhere) {
    const auto page = text_at("/");
    EXPECT_EQ(page.find("<style"), std::string::npos);
    EXPECT_EQ(page.find("style="), std::string::npos);
    EXPECT_TRUE(all_of(page, R"re(<script[^>]*>([^<]+)</script>)re").empty());
    for (const auto& path : scripts()) {
        const auto text = text_at(path);
        EXPECT_EQ(text.find("innerHTML"), std::string::npos) << path;
        EXPECT_TRUE(all_of(text, R"re((https?://)(?!www\.w3\.org))re").empty()) << path;
    }
}

TEST(Console, instructs_browsers_to_run_nothing_else) {
    for (const auto& asset : console_assets()) {
        const auto answer = console_answer(asking_for(std::string{asset.path})).value();
        const auto policy = header_of(answer, "Content-Security-Policy");
        EXPECT_NE(policy.find("default-src 'none'"), std::string::npos);
        EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
        EXPECT_EQ(policy.find("unsafe"), std::string::npos);
        EXPECT_EQ(header_of(answer, "X-Frame-Options"), "DENY");
    }
}

TEST(Console, what_is_named_by_its_content_is_kept_for_good_and_the_page_asked_for_again) {
    for (const auto& asset : console_assets()) {
        const bool is_page = asset.path == "/";
        const auto kept = header_of(console_answer(asking_for(std::string{asset.path})).value(), "Cache-Control");
        EXPECT_EQ(kept == "no-cache", is_page) << asset.path;
        EXPECT_EQ(kept.find("immutable") != std::string::npos, !is_page) << asset.path;
        EXPECT_TRUE(is_page || std::regex_match(std::string{asset.path}, std::regex{"/console/[0-9a-f]{16}/.*"}));
    }
}

TEST(Console, is_compressed_for_those_who_can_unpack_it) {
    for (const auto* accepted : {"gzip", "gzip, deflate, br", "br;q=1, GZIP;q=0.5"}) {
        const auto packed = console_answer(asking_for("/", accepted)).value();
        EXPECT_EQ(header_of(packed, "Content-Encoding"), "gzip") << accepted;
        EXPECT_TRUE(packed.body.starts_with("\x1f\x8b"));
    }
    for (const auto* accepted : {"", "identity", "gzip;q=0", "br", "gzip;q=0.000"}) {
        const auto plain = console_answer(asking_for("/", accepted)).value();
        EXPECT_EQ(header_of(plain, "Content-Encoding"), "") << accepted;
        EXPECT_TRUE(plain.body.starts_with("<!doctype html>"));
    }
}

TEST(Console, leaves_everything_else_to_others) {
    EXPECT_FALSE(is_of_console(asking_for("/v1/operations")));
    EXPECT_FALSE(is_of_console(asking_for("/console/0000000000000000/main.js")));
    auto posted = asking_for("/");
    posted.method = "POST";
    EXPECT_FALSE(is_of_console(posted));
    auto head = asking_for("/");
    head.method = "HEAD";
    EXPECT_TRUE(is_of_console(head));
}

}  // namespace console_test
}  // namespace headgate::http
