// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/listening_record.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "files/own_file.h"
#include "flow/flow_json.h"

namespace headgate::daemon {
namespace {

constexpr std::string_view kListensSince = "since ";
constexpr std::string_view kHeardUntil = "until ";
constexpr std::size_t kLongestLine = 256;

}  // namespace

std::string ListeningRecord::begin(Timestamp now) const {
    const auto before = read();
    write(fmt::format("{}{}", kListensSince, to_rfc3339(now)));
    if (before.starts_with(kHeardUntil)) {
        return fmt::format("no agent listened from {} to {}: flows that ended meanwhile have no record",
                           before.substr(kHeardUntil.size()), to_rfc3339(now));
    }
    if (!before.starts_with(kListensSince)) return {};
    return fmt::format(
        "no agent listened for a time before {}: the one that began at {} was killed or crashed. What it had not "
        "written, and flows that ended meanwhile, have no record",
        to_rfc3339(now), before.substr(kListensSince.size()));
}

void ListeningRecord::end(Timestamp now) const {
    write(fmt::format("{}{}", kHeardUntil, to_rfc3339(now)));
}

std::string ListeningRecord::read() const {
    const auto file = open_own_file(file_, O_RDONLY, 0);
    std::string line(kLongestLine, '\0');
    const auto got = file ? ::pread(file->get(), line.data(), line.size(), 0) : 0;
    line.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    line = line.substr(0, line.find('\n'));
    return line.substr(0, line.find_first_not_of("abcdefghijklmnopqrstuvwxyz 0123456789-:.TZ"));
}

/// Best effort: on failure only a log message is missing later.
void ListeningRecord::write(const std::string& text) const {
    const auto file = open_own_file(file_, O_WRONLY | O_CREAT, 0640);
    const auto line = text + '\n';
    if (!file || ::pwrite(file->get(), line.data(), line.size(), 0) != static_cast<ssize_t>(line.size())) return;
    static_cast<void>(::ftruncate(file->get(), static_cast<off_t>(line.size())));
}

}  // namespace headgate::daemon
