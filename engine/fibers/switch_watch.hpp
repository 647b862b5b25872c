// Tells ThreadSanitizer which of a thread's fibers runs; without it, nothing. To see one flow of calls where there are
// many, it would keep a stack that grows without end with each allocation.
#pragma once

#include <boost/fiber/context.hpp>

#ifdef BOBBIN_WATCH_SWITCHES
#include <sanitizer/tsan_interface.h>

#include <unordered_map>
#include <vector>
#endif

namespace bobbin {

#ifdef BOBBIN_WATCH_SWITCHES

// One thread. Compiled without ThreadSanitizer, like all of fibers/ (engine/meson.build): what a function notes when it
// is entered and left has to stand in one flow, and Boost enters a fiber to make and to bury it without a switch.
class SwitchWatch {
 public:
  SwitchWatch() : own_(__tsan_get_current_fiber()) {}
  ~SwitchWatch() {
    __tsan_switch_to_fiber(own_, 0);  // Boost comes back from its dispatcher without asking for the next fiber
    for (const auto& [context, flow] : flows_) destroy(flow);
    if (crowd_) __tsan_destroy_fiber(crowd_);
  }
  SwitchWatch(const SwitchWatch&) = delete;
  SwitchWatch& operator=(const SwitchWatch&) = delete;

  void ready(const boost::fibers::context* context) {
    if (context->is_context(boost::fibers::type::main_context) || flows_.count(context)) return;
    if (flows_.size() >= flows_max && !crowd_) crowd_ = __tsan_create_fiber(0);
    flows_.emplace(context, flows_.size() < flows_max ? __tsan_create_fiber(0) : crowd_);
  }
  void ended(const boost::fibers::context* context) { ended_.push_back(context); }
  // Just before the switch.
  void go_to(const boost::fibers::context* context) {
    const auto flow = flows_.find(context);
    __tsan_switch_to_fiber(flow == flows_.end() ? own_ : flow->second, 0);
  }
  void buried() {
    for (const auto* context : ended_)
      if (const auto flow = flows_.find(context); flow != flows_.end()) {
        destroy(flow->second);
        flows_.erase(flow);
      }
    ended_.clear();
  }

 private:
  // It knows 8,128 flows in all, of all threads. More than these share one.
  static constexpr std::size_t flows_max = 3'000;

  void destroy(void* flow) const {
    if (flow != crowd_) __tsan_destroy_fiber(flow);
  }

  void* own_;
  void* crowd_ = nullptr;
  std::unordered_map<const boost::fibers::context*, void*> flows_;
  std::vector<const boost::fibers::context*> ended_;
};

#else

struct SwitchWatch {
  void ready(const boost::fibers::context*) {}
  void ended(const boost::fibers::context*) {}
  void go_to(const boost::fibers::context*) {}
  void buried() {}
};

#endif

}  // namespace bobbin
