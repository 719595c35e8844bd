// SPDX-License-Identifier: GPL-2.0-or-later
// Elapsed time as known to the store, the basis of retention.
//
// The sum of the growth of the machine's uptime between looks. The wall clock is not used, since it may be set to
// anything. Time while the machine was off does not count, nor the time between the last look before a boot and the
// first one after; so operations may be kept longer, but are never removed early.
#pragma once

#include <Poco/Data/Session.h>

#include "headgate/clock.h"

namespace headgate::operations {

/// Updates the elapsed time within a transaction, and returns it in seconds.
[[nodiscard]] Poco::Int64 note_passed_time(Poco::Data::Session& session, const Clock& clock);

}  // namespace headgate::operations
