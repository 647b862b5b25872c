// Tells ThreadSanitizer which of a thread's fibers runs; without it, nothing. To see one flow of calls where there are
// many, it would keep a stack that grows without end with each allocation.
#pragma once

#include <boost/fiber/context.hpp>

#ifdef BOBBIN_WATCH_SWITCHES
#include <sanitizer/tsan_interface.h>

#include <atomic>
#include <unordered_map>
#include <vector>
#endif

namespace bobbin {

#ifdef BOBBIN_WATCH_SWITCHES

// One thread. Compiled without ThreadSanitizer, like all that includes it (engine/meson.build): what a function notes
// when it is entered and left has to stand in one flow, and Boost enters a fiber to make and to bury it without a
// switch.
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
    flows_.emplace(context, create());
  }
  // The running fiber is about to.
  void ends() { ended_.push_back(boost::fibers::context::active()); }
  // Just before the switch.
  void goes_to(const boost::fibers::context* context) {
    // Which has buried by now what had ended.
    if (boost::fibers::context::active()->is_context(boost::fibers::type::dispatcher_context)) forget_ended();
    const auto flow = flows_.find(context);
    __tsan_switch_to_fiber(flow == flows_.end() ? own_ : flow->second, 0);
  }

 private:
  // Of all threads together. ThreadSanitizer stops the process at 8,128 flows, threads included; so the fibers beyond
  // this many share one.
  static constexpr int flows_max = 7'000;
  static inline std::atomic<int> flows_alive = 0;

  void* create() {
    if (++flows_alive <= flows_max) return __tsan_create_fiber(0);
    --flows_alive;
    if (!crowd_) crowd_ = __tsan_create_fiber(0);
    return crowd_;
  }
  void destroy(void* flow) const {
    if (flow == crowd_) return;
    __tsan_destroy_fiber(flow);
    --flows_alive;
  }
  void forget_ended() {
    for (const auto* context : ended_)
      if (const auto flow = flows_.find(context); flow != flows_.end()) {
        destroy(flow->second);
        flows_.erase(flow);
      }
    ended_.clear();
  }

  void* own_;
  void* crowd_ = nullptr;
  std::unordered_map<const boost::fibers::context*, void*> flows_;
  std::vector<const boost::fibers::context*> ended_;
};

#else

struct SwitchWatch {
  void ready(const boost::fibers::context*) {}
  void ends() {}
  void goes_to(const boost::fibers::context*) {}
};

#endif

}  // namespace bobbin
