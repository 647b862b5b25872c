// The figures of a steady load, over a log that holds much already.
#include "tools/bench/bare_log.hpp"
#include "tools/bench/figure.hpp"
#include "tools/bench/load.hpp"

namespace bobbin::bench {

namespace {

std::filesystem::path engine_directory(const Settings& settings) { return settings.directory + "/engine"; }
std::filesystem::path bare_directory(const Settings& settings) { return settings.directory + "/bare"; }

double per_second(std::uint64_t count, double seconds) { return static_cast<double>(count) / seconds; }

std::uint64_t records_of(const std::vector<CommitShape>& shapes) {
  std::uint64_t records = 0;
  for (const auto& shape : shapes) records += shape.records;
  return records;
}

void append_latencies(std::vector<Figure>& figures, const std::vector<double>& latency_us) {
  figures.push_back({"latency_p50", quantile(latency_us, 0.5), "us", {}, true});
  figures.push_back({"latency_p99", quantile(latency_us, 0.99), "us", {}, true});
  figures.push_back({"latency_p999", quantile(latency_us, 0.999), "us", {}, true});
  figures.push_back({"latency_max", quantile(latency_us, 1), "us", {}, true});
}

std::vector<Figure> measure_events(const Settings& settings, const std::string& name, double target,
                                   const HostShape& host_shape, const LoadShape& shape) {
  fresh_directory(settings.directory);
  Host host(engine_directory(settings), host_shape);
  load_records(host, shape, settings.earlier);
  const auto replays = host.engine().stats().replays;
  const auto stretch = load_for(host, shape, settings.seconds);
  const auto stats = host.engine().stats();
  const auto records = stats.last_lsn + 1 - stretch.first_lsn;
  host.drain();
  std::vector<Figure> figures{
      {name, stretch.events_per_s(), "events/s", target, true},
      {"cpu_per_event", 1e6 * stretch.cpu_seconds / static_cast<double>(stretch.events), "us", {}, true},
      {"records_a_commit", per_second(records, static_cast<double>(stretch.commit_lsns.size())), "records", {}, true},
      {"replays_an_event", per_second(stats.replays - replays, static_cast<double>(stretch.events)), "", {}, true},
      {"lost", static_cast<double>(host.raised() - host.delivered()), "events", 0, false},
  };
  append_latencies(figures, stretch.latency_us);
  std::filesystem::remove_all(settings.directory);
  return figures;
}

// The machine's speed drifts: engine and bare loop take turns, and the median of the rounds' ratios counts. A single
// call is at the mercy of the disk's last second, so short rounds and many; a full load wants to be steady first.
constexpr int rounds_of_load = 5;
constexpr int rounds_of_calls = 15;

}  // namespace

std::vector<Figure> events_per_s(const Settings& settings) {
  return measure_events(settings, "events_per_s", 200'000, {}, {});
}

std::vector<Figure> events_per_s_1m_keys(const Settings& settings) {
  HostShape host;
  host.window = std::chrono::seconds(60);
  LoadShape shape;
  shape.keys = 1'000'000;
  return measure_events(settings, "events_per_s_1m_keys", 40'000, host, shape);
}

std::vector<Figure> append_ratio(const Settings& settings) {
  fresh_directory(settings.directory);
  std::vector<double> ratios, loaded_rates, bare_rates, event_rates, cpu_us;
  for (int round = 0; round < rounds_of_load; ++round) {
    Stretch stretch;
    {
      Host host(engine_directory(settings), {});
      if (round == 0) load_records(host, {}, settings.earlier);
      stretch = load_for(host, {}, settings.seconds / rounds_of_load);
      host.drain();
    }
    const auto shapes = shapes_of(engine_directory(settings), stretch.first_lsn, stretch.commit_lsns);
    const auto bare = append_bare(bare_directory(settings), shapes, 2 * settings.seconds);
    loaded_rates.push_back(per_second(records_of(shapes), stretch.seconds));
    bare_rates.push_back(per_second(bare.records, bare.seconds));
    ratios.push_back(loaded_rates.back() / bare_rates.back());
    event_rates.push_back(stretch.events_per_s());
    cpu_us.push_back(1e6 * stretch.cpu_seconds / static_cast<double>(stretch.events));
  }
  std::filesystem::remove_all(settings.directory);
  return {
      {"append_ratio", median(ratios), "ratio", 0.5, true},
      {"engine_records_per_s", median(loaded_rates), "records/s", {}, true},
      {"bare_records_per_s", median(bare_rates), "records/s", {}, true},
      {"engine_events_per_s", median(event_rates), "events/s", {}, true},
      {"cpu_per_event", median(cpu_us), "us", {}, true},
  };
}

std::vector<Figure> single_latency_ratio(const Settings& settings) {
  fresh_directory(settings.directory);
  std::vector<double> ratios, engine_us, bare_us;
  for (int round = 0; round < rounds_of_calls; ++round) {
    Stretch single;
    {
      Host host(engine_directory(settings), {});
      if (round == 0) load_records(host, {}, settings.earlier);
      single = call_for(host, {}, settings.seconds / rounds_of_calls);
      host.drain();
    }
    const auto shapes = shapes_of(engine_directory(settings), single.first_lsn, single.commit_lsns);
    const auto bare = append_bare(bare_directory(settings), shapes, settings.seconds / rounds_of_calls);
    engine_us.push_back(median(single.latency_us));
    bare_us.push_back(median(bare.commit_us));
    ratios.push_back(engine_us.back() / bare_us.back());
  }
  std::filesystem::remove_all(settings.directory);
  return {
      {"single_latency_ratio", median(ratios), "ratio", 1.25, false},
      {"engine_median", median(engine_us), "us", {}, true},
      {"bare_commit_median", median(bare_us), "us", {}, true},
  };
}

}  // namespace bobbin::bench
