// The one definition of every setting: what it is called, what it takes, what it is for. Its default is what a fresh
// Configuration holds.
#pragma once

#include "config/configuration.h"
#include "config/setting.h"

namespace headgate::config {

/// The settings, bound to this configuration, which must outlive them.
[[nodiscard]] SettingMap settings_of(Configuration& configuration);

}  // namespace headgate::config
