// The file of the store: where it is, how it comes into being, and whether it is one of ours.
#pragma once

#include <string>

#include "headgate/result.h"

#include "operations/database.h"

namespace headgate::operations {

inline constexpr const char* kStoreFile = "operations.db";

/// Opens the database in `folder`. What is missing is made: the folder itself (0750), not those above it, and the file,
/// which is there either whole or not at all, whatever happens while it is made. One of an earlier version is brought
/// up to this one's. A file that is damaged, somebody else's, or of a later version is an error and stays as it is.
[[nodiscard]] Result<Database> open_store_file(const std::string& folder);

/// The same where nothing can be written: what is there, of whichever version, to read it; empty where nothing is.
[[nodiscard]] Result<Database> open_store_file_to_read(const std::string& folder);

}  // namespace headgate::operations
