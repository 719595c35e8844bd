// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/service_names.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include "base/text.h"

namespace headgate::cli {
namespace {

constexpr std::size_t kLongestService = 64;

/// services(5); a minimal Debian has none.
constexpr const char* kServices = "/etc/services";

bool may_be_name(std::string_view text) {
    return text.size() <= kLongestService && std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

std::string similar_service(std::string_view name) {
    std::vector<std::string> names;
    // NOLINTBEGIN(concurrency-mt-unsafe): one thread reads the command line
    ::setservent(1);
    while (const servent* const entry = ::getservent())
        names.emplace_back(entry->s_name);
    ::endservent();
    // NOLINTEND(concurrency-mt-unsafe)
    return did_you_mean(name, names);
}

Result<std::string> port_number(std::string_view name) {
    if (name.find_first_not_of("0123456789") == std::string_view::npos) return std::string{name};
    servent entry{};
    servent* found = nullptr;
    std::array<char, 1024> buffer{};
    const bool is_known =
        may_be_name(name) &&
        ::getservbyname_r(std::string{name}.c_str(), nullptr, &entry, buffer.data(), buffer.size(), &found) == 0 &&
        found != nullptr;
    if (is_known) return fmt::format("{}", ntohs(static_cast<std::uint16_t>(found->s_port)));
    if (may_be_name(name) && ::access(kServices, R_OK) != 0) {
        return invalid("\"{}\" is not a port, and the names of services cannot be read: {}: {}", name, kServices,
                       std::generic_category().message(errno));
    }
    return invalid("\"{}\" is not a port: a number, a range such as 1990:1994, a service such as https, or ANY{}", name,
                   similar_service(name));
}

}  // namespace

Result<std::string> with_port_numbers(std::string_view range) {
    if (equal_ignoring_case(range, "any")) return std::string{range};
    const auto colon = std::min(range.find(':'), range.size());
    ASSIGN_OR_RETURN(auto first, port_number(range.substr(0, colon)));
    if (colon == range.size()) return first;
    ASSIGN_OR_RETURN(const auto last, port_number(range.substr(colon + 1)));
    return fmt::format("{}:{}", first, last);
}

}  // namespace headgate::cli
