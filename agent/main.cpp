// SPDX-License-Identifier: GPL-2.0-or-later
#include <unistd.h>

#include <string_view>

#include "cli/cli.h"
#include "cli/exit_code.h"
#include "threads/guarded.h"

int main(int argc, char** argv) {
    using namespace headgate;
    const auto exit_code = guarded([&]() -> Result<int> { return cli::run(argc, argv); });
    if (exit_code) return *exit_code;
    // Without memory there is not much to be said.
    for (const std::string_view part :
         {std::string_view{"headgate: "}, std::string_view{exit_code.error().message}, std::string_view{"\n"}})
        static_cast<void>(::write(STDERR_FILENO, part.data(), part.size()));
    return static_cast<int>(cli::ExitCode::Failed);
}
