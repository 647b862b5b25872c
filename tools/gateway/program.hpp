// The gateway's command line.
#pragma once

#include "tools/gateway/gateway.hpp"

namespace bobbin::gateway {

// What main() does. Answers the exit status: 0 drained, 1 an error at the start, 2 a wrong configuration, 3 the engine
// has failed; the last three with the reason on stderr.
int run_program(int argc, char** argv, const StoreOpener& open_store);

}  // namespace bobbin::gateway
