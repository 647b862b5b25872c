#include "engine/runtime/inbox.hpp"

namespace bobbin {

namespace {
// Marks items that do not count against the bounds.
constexpr std::size_t reserved = 0;
}  // namespace

bool Inbox::has_room(std::size_t bytes) const {
  return bounded_requests_ < requests_max_ && (bytes_ + bytes <= bytes_max_ || bounded_requests_ == 0);
}

void Inbox::put(Request request, std::size_t bytes, Duration patience) {
  std::unique_lock lock(mutex_);
  if (!closed_ && !has_room(bytes) && patience > Duration{}) {
    ++waiting_;
    room_.wait_for(lock, patience, [&] { return closed_ || has_room(bytes); });
    --waiting_;
  }
  if (closed_) throw Closed("the engine is closed or closing: it accepts nothing");
  if (!has_room(bytes))
    throw Overloaded("the inbox is full (" + std::to_string(bounded_requests_) + " requests, " +
                     std::to_string(bytes_) + " bytes): repeat the call later");
  items_.push_back({std::move(request), bytes});
  ++bounded_requests_;
  bytes_ += bytes;
}

void Inbox::put_reserved(Request request) {
  const std::lock_guard lock(mutex_);
  items_.push_back({std::move(request), reserved});
}

void Inbox::take(std::vector<Request>& out, std::size_t limit) {
  const std::lock_guard lock(mutex_);
  for (; limit > 0 && !items_.empty(); --limit) {
    auto& item = items_.front();
    if (item.bytes != reserved) {
      --bounded_requests_;
      bytes_ -= item.bytes;
    }
    out.push_back(std::move(item.request));
    items_.pop_front();
  }
  if (waiting_ > 0) room_.notify_all();
}

void Inbox::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  room_.notify_all();
}

std::size_t Inbox::size() const {
  const std::lock_guard lock(mutex_);
  return items_.size();
}

}  // namespace bobbin
