#include "engine/fibers/stack_pool.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <new>

namespace bobbin {

namespace {

std::size_t page_bytes() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

void unmap(const boost::context::stack_context& stack) noexcept {
  munmap(static_cast<char*>(stack.sp) - stack.size, stack.size);
}

}  // namespace

StackPool::StackPool(std::size_t stack_bytes)
    : mapping_bytes_((stack_bytes + page_bytes() - 1) / page_bytes() * page_bytes() + page_bytes()) {}

StackPool::~StackPool() {
  for (const auto& stack : free_) unmap(stack);
}

boost::context::stack_context StackPool::take() {
  if (!free_.empty()) {
    const auto stack = free_.back();
    free_.pop_back();
    return stack;
  }
  if (free_.capacity() <= mapped_) free_.reserve(2 * mapped_ + 16);  // so that giving back cannot fail
  void* memory =
      mmap(nullptr, mapping_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  if (mprotect(memory, page_bytes(), PROT_NONE) != 0) {
    munmap(memory, mapping_bytes_);
    throw std::bad_alloc();
  }
  ++mapped_;
  boost::context::stack_context stack;
  stack.size = mapping_bytes_;
  stack.sp = static_cast<char*>(memory) + mapping_bytes_;
  return stack;
}

void StackPool::give_back(boost::context::stack_context& stack) noexcept { free_.push_back(stack); }

}  // namespace bobbin
