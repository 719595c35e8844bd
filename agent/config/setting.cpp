// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/setting.h"

namespace headgate::config {

void SettingMap::add(Setting setting) {
    settings.push_back(std::move(setting));
}

Setting detail::describe(std::string_view key, Setting::Kind kind, std::string_view purpose, std::string rule) {
    Setting setting;
    setting.key = key;
    setting.kind = kind;
    setting.purpose = purpose;
    setting.rule = std::move(rule);
    return setting;
}

Setting map(std::string_view key, std::function<SettingMap()> open, std::string_view purpose) {
    auto setting = detail::describe(key, Setting::Kind::Map, purpose, "");
    setting.open = std::move(open);
    return setting;
}

Setting list_of_maps(std::string_view key, Setting::Need need, std::function<SettingMap()> open,
                     std::string_view purpose) {
    auto setting = detail::describe(key, Setting::Kind::ListOfMaps, purpose, "");
    setting.need = need;
    if (need == Setting::Need::Required) setting.items = Setting::Items::AtLeastOne;
    setting.later = Setting::Later::Adds;
    setting.open = std::move(open);
    return setting;
}

}  // namespace headgate::config
