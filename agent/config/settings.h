// SPDX-License-Identifier: GPL-2.0-or-later
// The single definition of every setting: key, accepted values, purpose. The default is the value in a new
// Configuration, or the one that end_reading() sets.
#pragma once

#include "config/configuration.h"
#include "config/setting.h"

namespace headgate::config {

/// Call these before the first and after the last file: they handle lists whose default is dropped by the first file
/// that has the key.
void begin_reading(Configuration& configuration);
void end_reading(Configuration& configuration);

/// The settings, bound to `configuration`, which must outlive them.
[[nodiscard]] SettingMap settings_of(Configuration& configuration);

/// The part that clients may see who are confined to some firewalls, still with all of the firewalls: settings that are
/// not marked as visible have their defaults.
[[nodiscard]] Configuration visible_when_confined(const Configuration& whole);

}  // namespace headgate::config
