// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/setting.h"

namespace headgate::config {

void SettingMap::add(Setting setting) {
    settings.push_back(std::move(setting));
}

Setting detail::describe(std::string_view key, Setting::Kind kind, std::string_view purpose) {
    Setting setting;
    setting.key = key;
    setting.kind = kind;
    setting.purpose = purpose;
    return setting;
}

}  // namespace headgate::config
