#include "engine/runtime/timer_queue.hpp"

#include <algorithm>

namespace bobbin {

const DueEntry* TimerQueue::stored_front() {
  if (at_ == page_.size() && !read_all_) {
    page_ = store_.snapshot()->due(last_read_, page_entries);
    at_ = 0;
    read_all_ = page_.size() < page_entries;
    if (!page_.empty()) last_read_ = page_.back();
  }
  return at_ < page_.size() ? &page_[at_] : nullptr;
}

std::optional<DueEntry> TimerQueue::pop_due(LogTime now) {
  const auto* stored = stored_front();
  const bool from_store = stored && (armed_.empty() || *stored < armed_.top());
  if (!from_store && armed_.empty()) return std::nullopt;
  const auto entry = from_store ? *stored : armed_.top();
  if (entry.due > now) return std::nullopt;
  if (from_store)
    ++at_;
  else
    armed_.pop();
  return entry;
}

std::optional<LogTime> TimerQueue::next() {
  const auto* stored = stored_front();
  if (!stored && armed_.empty()) return std::nullopt;
  if (!stored) return armed_.top().due;
  return armed_.empty() ? stored->due : std::min(stored->due, armed_.top().due);
}

}  // namespace bobbin
