#include "engine/runtime/timer_queue.hpp"

#include <algorithm>

namespace bobbin {

namespace {

constexpr std::size_t page_entries = 1'024;
constexpr std::size_t shed_min = 8'192;
constexpr std::greater<DueEntry> later;

InstanceId greatest_id() {
  InstanceId id;
  id.bytes.fill(0xff);
  return id;
}

}  // namespace

TimerQueue::TimerQueue(Store& store, DamageVisitor on_damage)
    : store_(store), on_damage_(std::move(on_damage)), shed_at_(shed_min) {}

void TimerQueue::arm(const InstanceId& id, LogTime due) {
  armed_.push_back({due, id});
  std::push_heap(armed_.begin(), armed_.end(), later);
}

const DueEntry* TimerQueue::stored_front() {
  if (at_ == page_.size() && !read_all_) {
    std::vector<ErrorInfo> damage;
    page_ =
        store_.snapshot()->due(last_read_, page_entries, [&damage](const ErrorInfo& one) { damage.push_back(one); });
    for (const auto& one : damage) on_damage_(one);
    at_ = 0;
    read_all_ = page_.size() < page_entries;
    if (!page_.empty()) last_read_ = page_.back();
  }
  return at_ < page_.size() ? &page_[at_] : nullptr;
}

std::optional<DueEntry> TimerQueue::pop_due(LogTime now) {
  const auto* stored = stored_front();
  const bool from_store = stored && (armed_.empty() || *stored < armed_.front());
  if (!from_store && armed_.empty()) return std::nullopt;
  const auto entry = from_store ? *stored : armed_.front();
  if (entry.due > now) return std::nullopt;
  if (from_store) {
    ++at_;
  } else {
    std::pop_heap(armed_.begin(), armed_.end(), later);
    armed_.pop_back();
  }
  return entry;
}

std::optional<LogTime> TimerQueue::next() {
  const auto* stored = stored_front();
  if (!stored && armed_.empty()) return std::nullopt;
  if (!stored) return armed_.front().due;
  return armed_.empty() ? stored->due : std::min(stored->due, armed_.front().due);
}

// What is due by now has been read: it moves to what is armed, and reading goes on behind it.
void TimerQueue::read_again_behind(LogTime now) {
  for (; at_ < page_.size() && page_[at_].due <= now; ++at_) armed_.push_back(page_[at_]);
  page_.clear();
  at_ = 0;
  last_read_ = DueEntry{now, greatest_id()};
}

void TimerQueue::shed(LogTime now, const std::function<bool(const InstanceId&)>& in_memory) {
  if (armed_.size() < shed_at_) return;
  // Entries that were stored since the page was read, and belong before its end, would not be seen again.
  if (last_read_ && last_read_->due > now) read_again_behind(now);
  std::erase_if(armed_,
                [&](const DueEntry& entry) { return (!last_read_ || entry > *last_read_) && !in_memory(entry.id); });
  std::make_heap(armed_.begin(), armed_.end(), later);
  armed_.shrink_to_fit();
  shed_at_ = std::max(shed_min, 2 * armed_.size());
  read_all_ = false;
}

}  // namespace bobbin
