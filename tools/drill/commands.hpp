// The drills as commands: what each can be told, and all of them in a row.
#pragma once

#include <CLI/CLI.hpp>

namespace bobbin::drill {

// Adds a command for each; the one that was called runs within the parsing, and sets `status`, which outlives `app`.
void add_drills(CLI::App& app, int& status);

}  // namespace bobbin::drill
