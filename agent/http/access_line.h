// A request as the daemon's log has it.
#pragma once

#include <string>

#include "http/request_record.h"

namespace headgate::http {

/// `sigv4:AKIDEXAMPLE@10.0.0.9 POST / aws:StartFlowFlush 200 133 bytes 1.8 ms`: who (the face, with user and address as
/// far as they are known), method, path, what it was for where the path does not say it, status, bytes, time; then
/// `cut` where the answer was. One line with a bounded length, whatever strangers have sent: what cannot be shown is
/// `?`, and so is a blank, so that nobody makes up fields.
[[nodiscard]] std::string access_line(const RequestRecord& record);

}  // namespace headgate::http
