// SPDX-License-Identifier: GPL-2.0-or-later
// Pages of other sites cannot send requests through the browser of an authorized user.
#include "http/access/same_site.h"

#include <gtest/gtest.h>

namespace headgate::http::access {
namespace same_site_test {

Request asked(const std::string& host, const std::string& origin = {}) {
    Request request;
    if (!host.empty()) request.headers["Host"] = host;
    if (!origin.empty()) request.headers["Origin"] = origin;
    return request;
}

TEST(SameSite, who_is_no_browser_names_no_origin) {
    EXPECT_TRUE(check_origin(asked("gateway:8443")));
    EXPECT_TRUE(check_origin(asked({})));
}

TEST(SameSite, a_page_of_the_agent_itself_may_ask) {
    EXPECT_TRUE(check_origin(asked("gateway:8443", "https://gateway:8443")));
    EXPECT_TRUE(check_origin(asked("Gateway:8443", "http://gateway:8443")));
}

TEST(SameSite, a_page_of_another_site_may_not) {
    for (const auto* origin : {"https://evil.example", "https://gateway", "https://gateway:8443.evil.example", "null",
                               "gateway:8443", "https://"}) {
        EXPECT_FALSE(check_origin(asked("gateway:8443", origin))) << origin;
    }
    EXPECT_FALSE(check_origin(asked({}, "https://gateway")));
}

TEST(SameSite, a_request_from_a_page_of_another_site_is_marked_by_the_browser) {
    const auto fetched = [](const std::string& site) {
        auto request = asked("localhost:8443");
        if (!site.empty()) request.headers["Sec-Fetch-Site"] = site;
        return check_fetch_site(request).has_value();
    };
    for (const auto* site : {"", "same-origin", "none"})
        EXPECT_TRUE(fetched(site)) << site;
    for (const auto* site : {"cross-site", "same-site", "same-origin, cross-site", "Same-Origin", "else"})
        EXPECT_FALSE(fetched(site)) << site;
}

TEST(SameSite, loopback_has_many_names) {
    for (const auto* host : {"localhost", "LOCALHOST:80", "127.0.0.1:8443", "127.1.2.3", "[::1]:8443", "[::1]"})
        EXPECT_TRUE(check_local_host(asked(host))) << host;
    EXPECT_TRUE(check_local_host(asked({}))) << "HTTP/1.0";
}

TEST(SameSite, a_name_that_was_turned_to_loopback_is_none_of_them) {
    for (const auto* host : {"evil.example", "evil.example:8443", "10.0.0.1", "localhost.evil.example", "[::2]", "[",
                             "[::1].evil.example", "127.0.0.1:x@evil.example", "127.0.0.1:", "127.0.0.1:99999"})
        EXPECT_FALSE(check_local_host(asked(host))) << host;
}

}  // namespace same_site_test
}  // namespace headgate::http::access
