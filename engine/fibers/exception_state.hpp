// Exceptions that are being handled belong to the flow that handles them. libstdc++ keeps them by thread, and Boost
// before 1.88 does not change them at a switch: a fiber that waits inside `catch` would rethrow another one's.
#pragma once

#include <boost/version.hpp>
#include <cxxabi.h>

#include <cstring>

namespace bobbin {

// Wraps a suspension: takes the thread's state away before it and puts it back after.
class ExceptionState {
 public:
#if BOOST_VERSION < 108800
  ExceptionState() noexcept {
    void* globals = abi::__cxa_get_globals();
    std::memcpy(saved_, globals, sizeof saved_);
    std::memset(globals, 0, sizeof saved_);
  }
  ~ExceptionState() { std::memcpy(abi::__cxa_get_globals(), saved_, sizeof saved_); }
#else
  ExceptionState() noexcept {}
  ~ExceptionState() {}
#endif
  ExceptionState(const ExceptionState&) = delete;
  ExceptionState& operator=(const ExceptionState&) = delete;

 private:
#if BOOST_VERSION < 108800
  // __cxa_eh_globals of the Itanium C++ ABI: a pointer to the caught exceptions and a count of the uncaught ones.
  unsigned char saved_[2 * sizeof(void*)];
#endif
};

}  // namespace bobbin
