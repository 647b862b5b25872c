#include "tools/inspect/commands.hpp"
#include "tools/inspect/folded_log.hpp"
#include "tools/inspect/record_json.hpp"
#include "tools/inspect/time_text.hpp"

#include <cstdio>

namespace bobbin::inspect {

namespace {

struct Summary {
  LogInfo info;
  LogState state;
  std::map<std::string, std::uint64_t> by_status;
  std::map<std::string, Ledger> ledgers;
  std::map<std::string, std::uint64_t> dead_letters;
};

Summary summarise(LogReader& log) {
  constexpr std::size_t page = 1'000;
  const auto snapshot = log.snapshot();
  FoldedLog folded(*snapshot);
  Summary summary{snapshot->info(), folded.log_state(), {}, folded.ledgers(), {}};
  std::optional<InstanceId> after;
  for (auto states = folded.list(after, page); !states.empty(); states = folded.list(after, page)) {
    for (const auto& state : states) ++summary.by_status[state.quarantined ? "quarantined" : to_string(state.status)];
    after = states.back().id;
  }
  Position last;
  for (auto letters = snapshot->dead_letters(last, page); !letters.empty();
       letters = snapshot->dead_letters(last, page)) {
    for (const auto& letter : letters) ++summary.dead_letters[to_string(letter.state)];
    last = letters.back().position;
  }
  return summary;
}

Json summary_json(const Summary& summary) {
  Json json{{"log_id", to_hex(summary.info.log_id)},
            {"epoch", to_hex(summary.state.epoch)},
            {"first_lsn", summary.info.first_lsn},
            {"last_lsn", summary.info.last_lsn},
            {"fold_from", summary.info.fold_from},
            {"opens", summary.state.opens},
            {"log_time", time_text(summary.state.log_time)},
            {"elapsed_us", summary.state.elapsed.count()},
            {"instances", summary.by_status},
            {"dead_letters", summary.dead_letters},
            {"ledgers", Json::array()}};
  for (const auto& [name, ledger] : summary.ledgers) json["ledgers"].push_back(ledger_json(ledger));
  return json;
}

void print(const Summary& summary) {
  std::printf("log %s  epoch %s\n", to_hex(summary.info.log_id).c_str(), to_hex(summary.state.epoch).c_str());
  std::printf("records %llu to %llu, tail from %llu, opened %u times, log time %s\n",
              static_cast<unsigned long long>(summary.info.first_lsn),
              static_cast<unsigned long long>(summary.info.last_lsn),
              static_cast<unsigned long long>(summary.info.fold_from), summary.state.opens,
              time_text(summary.state.log_time).c_str());
  for (const auto& [status, count] : summary.by_status)
    std::printf("instances %-12s %12llu\n", status.c_str(), static_cast<unsigned long long>(count));
  for (const auto& [state, count] : summary.dead_letters)
    std::printf("dead letters %-9s %12llu\n", state.c_str(), static_cast<unsigned long long>(count));
  std::printf("ledger: accepted = consumed + pending + dead-lettered + expired + discarded\n");
  for (const auto& [name, ledger] : summary.ledgers)
    std::printf("  %-24s %llu = %llu + %llu + %llu + %llu + %llu  %s; failed activities %llu\n", name.c_str(),
                static_cast<unsigned long long>(ledger.accepted), static_cast<unsigned long long>(ledger.consumed),
                static_cast<unsigned long long>(ledger.pending), static_cast<unsigned long long>(ledger.dead_lettered),
                static_cast<unsigned long long>(ledger.expired), static_cast<unsigned long long>(ledger.discarded),
                ledger.balanced() ? "balanced" : "NOT BALANCED",
                static_cast<unsigned long long>(ledger.failed_activities));
}

}  // namespace

int stats(LogReader& log, bool json) {
  const auto summary = summarise(log);
  if (json)
    std::printf("%s\n", json_text(summary_json(summary), 2).c_str());
  else
    print(summary);
  for (const auto& [name, ledger] : summary.ledgers)
    if (!ledger.balanced()) return 1;
  return 0;
}

}  // namespace bobbin::inspect
