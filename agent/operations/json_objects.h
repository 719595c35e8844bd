// Takes a long JSON text apart into its rows, so that a file of any size is read in constant memory.
#pragma once

#include <functional>
#include <istream>
#include <string>
#include <string_view>

#include "headgate/result.h"

namespace headgate::operations {

/// Called with the text of each object. `row`: an element of the array that was named; otherwise an outermost object.
using ObjectSink = std::function<Result<void>(const std::string& object, bool row)>;

/// Splits a sequence of objects (NDJSON, or one document over any number of lines). The elements of the array that is
/// the outermost object's member `rows_member` are handed over one by one, and the object itself after them, with that
/// array left empty. Finds borders only: what an object says is for a JSON parser to judge.
[[nodiscard]] Result<void> split_json_objects(std::istream& in, std::string_view rows_member, const ObjectSink& take);

}  // namespace headgate::operations
