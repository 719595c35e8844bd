// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/message.h"

#include <strings.h>

#include <algorithm>

#include "base/text.h"

namespace headgate::http {

bool IgnoringCase::operator()(std::string_view a, std::string_view b) const {
    const int order = ::strncasecmp(a.data(), b.data(), std::min(a.size(), b.size()));
    return order < 0 || (order == 0 && a.size() < b.size());
}

std::string_view Request::header(std::string_view name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string_view{} : std::string_view{found->second};
}

bool is_media_type(std::string_view content_type, std::string_view media_type) {
    return equal_ignoring_case(trimmed(take_until(content_type, ';')), media_type);
}

Response json_answer(int status, std::string body) {
    Response answer;
    answer.status = status;
    answer.content_type = "application/json";
    answer.body = std::move(body);
    if (!answer.body.ends_with('\n')) answer.body.push_back('\n');
    return answer;
}

}  // namespace headgate::http
