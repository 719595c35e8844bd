// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/configuration_json.h"

#include <algorithm>
#include <iterator>

#include "config/settings.h"
#include "flow/json_members.h"

namespace headgate::gateway {
namespace {

void add_setting(JsonMembers& members, const config::Setting& setting);

void add_settings(JsonMembers& members, const config::SettingMap& map) {
    for (const auto& setting : map.settings)
        add_setting(members, setting);
}

void add_setting(JsonMembers& members, const config::Setting& setting) {
    using Kind = config::Setting::Kind;
    if (setting.kind == Kind::ListOfMaps) return members.objects(setting.key, setting.maps(), add_settings);
    if (setting.kind == Kind::Map) {
        for (const auto& map : setting.maps())
            members.object(setting.key, [&](JsonMembers& inner) { add_settings(inner, map); });
        return;
    }
    const auto texts = setting.print();
    if (!texts) return;
    if (setting.kind == Kind::List) return members.texts(setting.key, *texts);
    if (setting.notation == config::Notation::Literal) return members.number(setting.key, texts->front());
    members.text(setting.key, texts->front());
}

}  // namespace

void append_configuration_json(fmt::memory_buffer& out, config::Configuration configuration) {
    out.push_back('{');
    JsonMembers members{out};
    const auto settings = config::settings_of(configuration);
    members.object("configuration", [&](JsonMembers& inner) { add_settings(inner, settings); });
    std::vector<std::string> files;
    std::ranges::transform(configuration.files, std::back_inserter(files),
                           [](const auto& each) { return each.native(); });
    members.texts("files", files);
    out.push_back('}');
}

void append_firewall_configuration_json(fmt::memory_buffer& out, config::Configuration configuration) {
    auto settings = config::settings_of(configuration);
    std::erase_if(settings.settings, [](const config::Setting& setting) { return !setting.copy_for_confined; });
    out.push_back('{');
    JsonMembers members{out};
    members.object("configuration", [&](JsonMembers& inner) { add_settings(inner, settings); });
    out.push_back('}');
}

}  // namespace headgate::gateway
