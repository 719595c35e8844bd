// SPDX-License-Identifier: GPL-2.0-or-later
// Splits a long JSON text into its rows, so that a file of any size is read in constant memory.
#pragma once

#include <functional>
#include <istream>
#include <string>
#include <string_view>

#include "headgate/result.h"

namespace headgate::cli {

/// Receives the text of each object. `row`: an element of the named array; otherwise an outermost object.
using ObjectSink = std::function<Result<void>(const std::string& object, bool row)>;

/// Splits a sequence of objects (NDJSON, or one document over any number of lines). Elements of the array `rows_member`
/// of the outermost object are passed on one by one, then the object itself with that array empty. Only finds the
/// boundaries: the objects' content is not validated.
[[nodiscard]] Result<void> split_json_objects(std::istream& in, std::string_view rows_member, const ObjectSink& sink);

}  // namespace headgate::cli
