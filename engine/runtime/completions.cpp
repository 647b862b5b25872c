#include "engine/runtime/completions.hpp"

#include "engine/base/overloaded.hpp"

#include <algorithm>

namespace bobbin {

void Completion::run(const ErrorInfo& failure) {
  std::visit(Overload{
                 [&failure](AcceptedAnswer& answer) {
                   if (failure) answer.result = {failure, {}};
                   answer.reply.finish(answer.result);
                 },
                 [&failure](std::function<void(const ErrorInfo&)>& finish) { finish(failure); },
             },
             action_);
}

void Completions::release(std::vector<Completion> completions, const ErrorInfo& failure) {
  for (auto& completion : completions)
    if (completion.direct()) completion.run(failure);
  std::erase_if(completions, [](const Completion& completion) { return completion.direct(); });
  if (completions.empty()) return;
  inbox_.add_waiting_answers(completions.size());
  {
    const std::lock_guard lock(mutex_);
    released_.push_back({std::move(completions), failure});
  }
  executor_.wake(Lane::completion);
}

void Completions::work() {
  for (;;) {
    Released next;
    {
      const std::lock_guard lock(mutex_);
      working_ = !released_.empty();
      if (!working_) return;
      next = std::move(released_.front());
      released_.pop_front();
    }
    inbox_.remove_waiting_answers(next.completions.size());
    for (auto& completion : next.completions) completion.run(next.failure);
  }
}

bool Completions::empty() const {
  const std::lock_guard lock(mutex_);
  return released_.empty() && !working_;
}

}  // namespace bobbin
