// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/console/console.h"

#include <Poco/InflatingStream.h>
#include <Poco/MemoryStream.h>
#include <Poco/StreamCopier.h>

#include <algorithm>
#include <string>

#include "base/text.h"

namespace headgate::http {
namespace {

constexpr std::string_view kPage = "/";

/// Everything is loaded from the agent, inline scripts and styles are forbidden, and no page may frame the console.
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::string_view text_of(std::span<const unsigned char> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};  // NOLINT(*-reinterpret-cast): bytes are chars
}

/// `gzip;q=0` excludes it (RFC 9110, section 12.5.3).
bool accepts_gzip(const Request& request) {
    auto accepted = request.header("Accept-Encoding");
    while (!accepted.empty()) {
        auto weight = take_until(accepted, ',');
        if (!equal_ignoring_case(trimmed(take_until(weight, ';')), "gzip")) continue;
        return trimmed(weight).find_first_of("123456789") != std::string_view::npos || trimmed(weight).empty();
    }
    return false;
}

/// For clients that do not accept gzip.
std::string unpacked(std::span<const unsigned char> gzip) {
    const auto text = text_of(gzip);
    Poco::MemoryInputStream packed{text.data(), static_cast<std::streamsize>(text.size())};
    Poco::InflatingInputStream inflating{packed, Poco::InflatingStreamBuf::STREAM_GZIP};
    std::string plain;
    Poco::StreamCopier::copyToString(inflating, plain);
    return plain;
}

const ConsoleAsset* asset_of(const Request& request) {
    if (request.method != "GET" && request.method != "HEAD") return nullptr;
    const auto assets = console_assets();
    const auto found = std::ranges::find(assets, request.path, &ConsoleAsset::path);
    return found == assets.end() ? nullptr : &*found;
}

void add_headers(Response& answer, bool is_page) {
    answer.headers.emplace_back("Vary", "Accept-Encoding");
    // Paths with a content hash are immutable; the page itself is revalidated each time.
    answer.headers.emplace_back("Cache-Control", is_page ? "no-cache" : "public, max-age=31536000, immutable");
    answer.headers.emplace_back("Content-Security-Policy", kContentSecurityPolicy);
    answer.headers.emplace_back("X-Frame-Options", "DENY");
    answer.headers.emplace_back("Referrer-Policy", "no-referrer");
    answer.headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
}

}  // namespace

bool is_of_console(const Request& request) {
    return asset_of(request) != nullptr;
}

std::optional<Response> console_answer(const Request& request) {
    const auto* found = asset_of(request);
    if (found == nullptr) return std::nullopt;
    Response answer;
    answer.route = found->path == kPage ? kPage : "/console";
    answer.content_type = found->content_type;
    add_headers(answer, found->path == kPage);
    if (accepts_gzip(request)) {
        answer.headers.emplace_back("Content-Encoding", "gzip");
        answer.body = text_of(found->gzip);
    } else {
        answer.body = unpacked(found->gzip);
    }
    return answer;
}

}  // namespace headgate::http
