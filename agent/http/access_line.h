// SPDX-License-Identifier: GPL-2.0-or-later
// The access log's line for one request.
#pragma once

#include <string>

#include "http/request_record.h"

namespace headgate::http {

/// `sigv4:AKIDEXAMPLE@10.0.0.9 POST / aws:StartFlowFlush 200 133 bytes 1.8 ms`: client (the face, with user and address
/// as far as known), method, path, the route where the path does not name it, status, bytes of the body, duration; then
/// `cut` if the response was cut off. One line of bounded length whatever the client sent: unprintable characters and
/// blanks become `?`, so that a client cannot forge fields.
[[nodiscard]] std::string access_line(const RequestRecord& record);

}  // namespace headgate::http
