#include "engine/runtime/inbox.hpp"

#include <utility>

namespace bobbin {

bool Inbox::has_room(std::size_t bytes) const {
  return load_.requests + waiting_answers_ < requests_max_ &&
         (load_.bytes + bytes <= bytes_max_ || load_.requests == 0);
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
    throw Overloaded("the inbox is full (" + std::to_string(load_.requests) + " requests, " +
                     std::to_string(load_.bytes) + " bytes, and " + std::to_string(waiting_answers_) +
                     " answers whose callbacks have not run): repeat the call later");
  queue_.push_back(std::move(request));
  ++load_.requests;
  load_.bytes += bytes;
}

void Inbox::put_outcome(AttemptDone outcome) {
  const std::lock_guard lock(mutex_);
  outcomes_.push_back(std::move(outcome));
}

void Inbox::take_outcomes(std::vector<AttemptDone>& done) {
  const std::lock_guard lock(mutex_);
  outcomes_.swap(done);
}

void Inbox::take(std::vector<Request>& done) {
  const std::lock_guard lock(mutex_);
  load_.requests -= taken_.requests;
  load_.bytes -= taken_.bytes;
  taken_ = load_;
  queue_.swap(done);
  if (waiting_ > 0) room_.notify_all();
}

void Inbox::add_waiting_answers(std::size_t count) {
  const std::lock_guard lock(mutex_);
  waiting_answers_ += count;
}

void Inbox::remove_waiting_answers(std::size_t count) {
  const std::lock_guard lock(mutex_);
  waiting_answers_ -= count;
  if (waiting_ > 0) room_.notify_all();
}

void Inbox::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  room_.notify_all();
}

std::size_t Inbox::requests() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

bool Inbox::empty() const {
  const std::lock_guard lock(mutex_);
  return queue_.empty() && outcomes_.empty();
}

}  // namespace bobbin
