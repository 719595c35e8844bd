#include "daemon/listening_record.h"

#include <fmt/format.h>

#include <fstream>

#include "flow/flow_json.h"

namespace headgate::daemon {
namespace {

constexpr std::string_view kListensSince = "since ";
constexpr std::string_view kHeardUntil = "until ";

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
        "no agent listened for a time before {}: the one that began at {} did not come to its end. What it had not "
        "written, and flows that ended meanwhile, have no record",
        to_rfc3339(now), before.substr(kListensSince.size()));
}

void ListeningRecord::end(Timestamp now) const {
    write(fmt::format("{}{}", kHeardUntil, to_rfc3339(now)));
}

std::string ListeningRecord::read() const {
    std::string line;
    std::ifstream file{file_};
    std::getline(file, line);
    return line.substr(0, line.find_first_not_of("abcdefghijklmnopqrstuvwxyz 0123456789-:.TZ"));
}

/// Best effort: without it only a sentence is missing.
void ListeningRecord::write(const std::string& text) const {
    std::ofstream{file_, std::ios::trunc} << text << '\n';
}

}  // namespace headgate::daemon
