#include "tools/bench/figure.hpp"

namespace bobbin::bench {

std::vector<Benchmark> benchmarks() {
  return {
      {{"events_per_s"}, "events accepted durably and delivered, over 1,000 keys", events_per_s},
      {{"events_per_s_1m_keys"}, "the same over 1,000,000 keys, in windows of 60 s", events_per_s_1m_keys},
      {{"append_ratio"}, "records a second against a bare LMDB append of the same sizes", append_ratio},
      {{"single_latency_ratio"}, "one caller's median latency against one bare LMDB commit", single_latency_ratio},
      {{"first_calls_ms"}, "until 1,024 calls at once are durable, after an open", first_calls_ms},
      {{"waiting_bytes", "ready_ms"},
       "memory of waiting instances, and time until a killed process serves again",
       waiting},
      {{"replay_events_per_s"}, "a history of 10,000 events on one core", replay_events_per_s},
      {{"purge_records_per_s"}, "history that goes, while appends run at half speed", purge_records_per_s},
      {{"plateau"}, "the size of the log's file over six times the retention, as a curve", plateau},
  };
}

}  // namespace bobbin::bench
