// SPDX-License-Identifier: GPL-2.0-or-later
// The store's file: location, creation and validation.
#pragma once

#include <string>

#include "headgate/result.h"

#include "operations/database.h"

namespace headgate::operations {

inline constexpr const char* kStoreFile = "operations.db";

/// Opens the database in `folder`. Creates the directory if missing (0750, not its parents), and the file, atomically.
/// Upgrades a file of an earlier version. A file that is damaged, foreign or of a later version is an error and remains
/// unchanged.
[[nodiscard]] Result<Database> open_store_file(const std::string& folder);

/// Read-only access where the disk cannot be written: any version that exists; an empty database if there is none.
[[nodiscard]] Result<Database> open_store_file_to_read(const std::string& folder);

/// Whether open_store_file would accept the file, if there is one. Changes nothing.
[[nodiscard]] Result<void> check_store_file(const std::string& folder);

}  // namespace headgate::operations
