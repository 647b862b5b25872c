// Bringing memory to the cache before it is needed: what is read for many instances in turn is nearly never there.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bobbin {

inline constexpr std::size_t cache_line = 64;

// May be any address: what is not mapped is not brought.
inline void prefetch_bytes(const void* begin, std::size_t bytes) {
  const auto at = reinterpret_cast<std::uintptr_t>(begin);
  for (std::size_t i = 0; i < bytes; i += cache_line) __builtin_prefetch(reinterpret_cast<const void*>(at + i));
}

}  // namespace bobbin
