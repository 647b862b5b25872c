// For libraries that go before the C library of a process under test (LD_PRELOAD).
#pragma once

#include <dlfcn.h>

namespace bobbin::drill {

// The C library's own function.
template <class Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

}  // namespace bobbin::drill
