// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/aws/firewall_names.h"

#include <Poco/SHA1Engine.h>
#include <Poco/UUID.h>
#include <Poco/UUIDGenerator.h>
#include <fmt/format.h>

namespace headgate::http::aws {
namespace {

std::string arn(const config::Configuration& configuration, std::string_view kind, std::string_view name) {
    return fmt::format("arn:aws:network-firewall:{}:{}:{}/{}", configuration.region, configuration.account, kind, name);
}

/// Names contain no slash, so the hashed text is unambiguous.
std::string hashed_id(std::string_view prefix, std::string_view firewall, std::string_view availability_zone = {}) {
    constexpr std::size_t kDigits = 17;
    Poco::SHA1Engine sha1;
    sha1.update(fmt::format("{}/{}/{}", prefix, firewall, availability_zone));
    return fmt::format("{}-{}", prefix, Poco::DigestEngine::digestToHex(sha1.digest()).substr(0, kDigits));
}

}  // namespace

std::string firewall_arn(const config::Configuration& configuration, std::string_view firewall) {
    return arn(configuration, "firewall", firewall);
}

std::string firewall_policy_arn(const config::Configuration& configuration, std::string_view firewall) {
    return arn(configuration, "firewall-policy", firewall);
}

std::string vpc_endpoint_id(std::string_view firewall, std::string_view availability_zone) {
    return hashed_id("vpce", firewall, availability_zone);
}

std::string subnet_id(std::string_view firewall, std::string_view availability_zone) {
    return hashed_id("subnet", firewall, availability_zone);
}

std::string vpc_id(std::string_view firewall) {
    return hashed_id("vpc", firewall);
}

std::string uuid_of(std::string_view text) {
    Poco::SHA1Engine sha1;
    return Poco::UUIDGenerator::defaultGenerator()
        .createFromName(Poco::UUID::null(), std::string{text}, sha1, Poco::UUID::UUID_NAME_BASED_SHA1)
        .toString();
}

}  // namespace headgate::http::aws
