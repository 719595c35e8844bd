// The one definition of every setting: what it is called, what it takes, what it is for. Its default is what a fresh
// Configuration holds, or what end_reading() puts there.
#pragma once

#include "config/configuration.h"
#include "config/setting.h"

namespace headgate::config {

/// Before the first file, and after the last: lists of which there is a default that goes with the first file that says
/// something of them.
void begin_reading(Configuration& configuration);
void end_reading(Configuration& configuration);

/// The settings, bound to this configuration, which must outlive them.
[[nodiscard]] SettingMap settings_of(Configuration& configuration);

}  // namespace headgate::config
