#include "engine/runtime/purge.hpp"

#include <algorithm>
#include <utility>

namespace bobbin {

namespace {

// Orders of less are not worth the pages that they touch; more would be felt in a commit's latency.
constexpr std::uint64_t order_min = 1'024;
constexpr std::uint64_t order_max = 4'096;
constexpr Duration idle_pause = std::chrono::milliseconds(20);
constexpr int looks_a_retention = 8;

}  // namespace

void Purge::mark(Lsn from, Lsn through) {
  auto& marked = marked_now_.through == 0 ? marked_now_ : marked_next_;
  marked.from = marked.through == 0 ? from : std::min(marked.from, from);
  marked.through = std::max(marked.through, through);
}

bool Purge::something_is_old() const {
  if (clock_.elapsed() < options_.retention) return false;
  const auto until = clock_.elapsed() - options_.retention;
  return rests_ || !young_ || *young_ <= until || (kept_ && again_at_ <= clock_.elapsed());
}

void Purge::add_order(Batch& batch, Lsn fold_from) {
  credit_ = std::min(credit_ + looked_at_per_record * batch.records.size(), order_max);
  below_ = fold_from;
  const bool idle = batch.records.empty();
  if (stopped_ || ordered_ || (idle ? clock_.now() < idle_at_ : credit_ < order_min)) return;
  if (idle) idle_at_ = clock_.now() + idle_pause;
  if (overlay_.forgotten() != 0) return;  // their deletion is behind
  if (!something_is_old() && !something_is_marked()) return;
  PurgeOrder order;
  order.until = clock_.elapsed() - options_.retention;
  order.below = fold_from;
  order.records = idle ? order_max : credit_;
  order.again = kept_ && again_at_ <= clock_.elapsed();
  if (order.again) {
    kept_ = false;
    again_at_ = clock_.elapsed() + options_.retention / looks_a_retention;
  }
  if (something_is_marked()) {
    order.marked_from = marked_now_.from;
    order.marked_through = marked_now_.through;
  }
  batch.purge = order;
  credit_ = 0;
  ordered_ = true;
}

std::optional<PurgeOrder> Purge::relief(Lsn fold_from) const {
  if (clock_.elapsed() < options_.retention) return std::nullopt;
  PurgeOrder order;
  order.until = clock_.elapsed() - options_.retention;
  order.below = fold_from;
  order.records = order_max;
  return order;
}

void Purge::done(const Committed& committed) {
  ordered_ = false;
  idle_at_ = clock_.now() + idle_pause;
  if (committed.marked_done) marked_now_ = std::exchange(marked_next_, {});
  note(committed);
}

void Purge::relieved(const Committed& committed) { note(committed); }

void Purge::note(const Committed& committed) {
  purged_ += committed.purged;
  rests_ = committed.rests;
  // Where no record was too young, the next ones are looked at a while later.
  const auto until = clock_.elapsed() - options_.retention;
  young_ = committed.young.value_or(until + options_.retention / looks_a_retention);
  kept_ |= committed.kept > 0;
  names_stand_ |= !committed.ended.empty();
  for (const auto& ended : committed.ended) overlay_.forget(ended.id, ended.lsn);
}

bool Purge::take_up_leftovers(Store& store, std::size_t most) {
  if (!std::exchange(took_up_, true)) {
    left_over_ = store.snapshot()->leftovers();
    names_stand_ |= !left_over_.empty();
  }
  for (; most > 0 && !left_over_.empty(); --most, left_over_.pop_back())
    overlay_.forget(left_over_.back().id, left_over_.back().lsn);
  return !left_over_.empty();
}

void Purge::drop_names(Batch& batch) {
  if (!names_stand_ || ordered_ || !took_up_ || !left_over_.empty() || overlay_.forgotten() != 0 || batch.empty())
    return;
  batch.leftovers_gone = true;
  names_stand_ = false;
}

std::optional<LogTime> Purge::next() const {
  if (ordered_) return std::nullopt;
  if (something_is_old() || something_is_marked() || overlay_.forgotten() != 0) return idle_at_;
  auto at = young_.value_or(Elapsed{}) + options_.retention;
  if (kept_) at = std::min(at, std::max(again_at_, options_.retention));
  return std::max(idle_at_, add_saturating(clock_.now(), std::max(at - clock_.elapsed(), Duration(1))));
}

}  // namespace bobbin
