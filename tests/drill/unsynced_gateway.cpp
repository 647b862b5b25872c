// A gateway whose data syncs do nothing: all that it writes is in the page cache, and no SIGKILL harms it. Only the
// power drill can find that out.
#include "tools/gateway/program.hpp"

#include <bobbin/lmdb.hpp>

// A program's own functions go before those of libraries, for LMDB's calls, too.
extern "C" {
int fsync(int) { return 0; }
int fdatasync(int) { return 0; }
}

int main(int argc, char** argv) { return bobbin::gateway::run_program(argc, argv, bobbin::open_lmdb); }
