#include "tools/gateway/restart.hpp"

#include <algorithm>
#include <fstream>
#include <utility>

namespace bobbin::gateway {

namespace {

const std::vector<Input>* inputs_of(const Record& record) {
  if (const auto* accepted = std::get_if<AcceptedBody>(&record.body)) return &accepted->inputs;
  if (const auto* turn = std::get_if<TurnBody>(&record.body)) return &turn->inputs;
  return nullptr;
}

}  // namespace

std::chrono::system_clock::time_point Heartbeat::last() const {
  std::error_code error;
  const auto time = std::filesystem::last_write_time(file_, error);
  if (error) return {};
  return std::chrono::time_point_cast<std::chrono::system_clock::duration>(std::chrono::file_clock::to_sys(time));
}

void Heartbeat::beat() const {
  if (!std::filesystem::exists(file_)) std::ofstream(file_).flush();
  std::filesystem::last_write_time(file_, std::filesystem::file_time_type::clock::now());
}

std::size_t seed_after_restart(Store& store, std::chrono::system_clock::time_point last_alive,
                               Retransmission::Time restarted_at, const RetransmissionOptions& options,
                               Retransmission& retransmission) {
  const auto snapshot = store.snapshot();
  auto lsn = store.info().last_lsn;
  const auto newest = lsn == 0 ? std::nullopt : snapshot->record(lsn);
  if (!newest) return 0;
  // Log time may be behind the wall clock, which the heartbeat shows, by as much as this.
  constexpr auto log_time_lag = std::chrono::seconds(1);
  auto died_at = std::max<std::chrono::system_clock::time_point>(last_alive - log_time_lag, newest->log_time);
  std::size_t remembered = 0;
  auto life_ended = died_at;  // at the latest: of the life whose records are being read
  bool life_was_short = false;
  for (; lsn != 0; --lsn) {
    const auto record = snapshot->record(lsn);
    if (!record) break;
    // A life too short for its peers to repeat everything leaves that to the next one: the death before it counts, too.
    if (std::exchange(life_was_short, false)) died_at = record->log_time;
    if (std::holds_alternative<OpenedBody>(record->body)) {
      life_was_short = life_ended - record->log_time <= options.absorb_for;
      life_ended = record->log_time;
      continue;
    }
    if (record->log_time < died_at - options.before_death) break;
    const auto* inputs = inputs_of(*record);
    if (!inputs) continue;
    for (const auto& input : *inputs)
      if (const auto* event = std::get_if<EventInput>(&input); event && event->event.position.lsn == lsn)
        remembered +=
            retransmission.absorb_after_restart(event->event.dedup_id, record->log_time, died_at, restarted_at);
  }
  return remembered;
}

}  // namespace bobbin::gateway
