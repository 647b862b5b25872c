// bobbin-gateway: SMS in, one batch per conversation and window out.
#include "tools/gateway/program.hpp"

#include <bobbin/lmdb.hpp>

int main(int argc, char** argv) { return bobbin::gateway::run_program(argc, argv, bobbin::open_lmdb); }
