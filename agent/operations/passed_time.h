// How much time has passed as far as the store knows: what retention goes by.
//
// It adds up what the machine's uptime has grown from one look to the next. What a wall clock says has no part in it,
// since that may be set to anything; so time in which the machine was off does not count, nor does what passed between
// the last look before a boot and the first one after it. What is kept may stay longer for that, and never goes early.
#pragma once

#include <Poco/Data/Session.h>

#include "headgate/clock.h"

namespace headgate::operations {

/// Looks at the clock, within a transaction. The seconds that have passed.
[[nodiscard]] Poco::Int64 note_passed_time(Poco::Data::Session& session, const Clock& clock);

}  // namespace headgate::operations
