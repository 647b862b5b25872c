// Stacks for fibers: guarded below, reused, all from one pool.
#pragma once

#include <boost/context/stack_context.hpp>

#include <cstddef>
#include <memory>
#include <vector>

namespace bobbin {

// One thread. A stack overflow hits the guard page (SIGSEGV) instead of a neighbour's memory.
class StackPool {
 public:
  explicit StackPool(std::size_t stack_bytes);
  ~StackPool();
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;

  // Throws std::bad_alloc when the system has no more address space or mappings.
  boost::context::stack_context take();
  void give_back(boost::context::stack_context& stack) noexcept;
  std::size_t in_use() const { return mapped_ - free_.size(); }

 private:
  std::size_t mapping_bytes_;
  std::size_t mapped_ = 0;  // stacks in being, used or free
  std::vector<boost::context::stack_context> free_;
};

// The allocator that Boost.Fiber copies; all copies share one pool.
class PooledStack {
 public:
  explicit PooledStack(std::shared_ptr<StackPool> pool) : pool_(std::move(pool)) {}
  boost::context::stack_context allocate() { return pool_->take(); }
  void deallocate(boost::context::stack_context& stack) noexcept { pool_->give_back(stack); }

 private:
  std::shared_ptr<StackPool> pool_;
};

}  // namespace bobbin
