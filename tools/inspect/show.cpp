#include "tools/inspect/commands.hpp"
#include "tools/inspect/folded_log.hpp"
#include "tools/inspect/record_json.hpp"

#include <bobbin/error.hpp>

#include <algorithm>
#include <cstdio>

namespace bobbin::inspect {

namespace {

InstanceId parse_instance(const std::string& text) {
  const auto slash = text.find('/');
  return slash == std::string::npos ? id_from_hex(text) : instance_id({text.substr(0, slash), text.substr(slash + 1)});
}

// The run's records, newest first in the log's chain, oldest first here.
std::vector<Record> history_of(Snapshot& snapshot, Lsn newest) {
  std::vector<Record> history;
  for (auto lsn = newest; lsn != 0;) {
    auto record = snapshot.record(lsn);
    if (!record) throw Corrupt("record " + std::to_string(lsn) + " of the run is not in the log: run 'bobbin verify'");
    lsn = record->run_previous;
    history.push_back(std::move(*record));
  }
  std::reverse(history.begin(), history.end());
  return history;
}

// A record of an older run: the newest one that belongs to it.
Lsn newest_of(Snapshot& snapshot, RunId run, const InstanceState& state) {
  if (run == state.run) return state.last_record;
  Lsn newest = 0;
  snapshot.scan(run, [&](Record&& record) {
    if (record.run == run) newest = record.lsn;
    return record.lsn < state.run;  // runs of one instance follow each other
  });
  return newest;
}

// One input, decision or end: its kind, then the members that say something.
void print_item(const char* mark, const Json& item) {
  Json rest = item;
  rest.erase("start_input");  // the same for nearly every event; --json has it
  const std::string kind = rest.contains("kind") ? rest["kind"].get<std::string>() : std::string("end");
  rest.erase("kind");
  std::string line = std::string("      ") + mark + " " + kind;
  for (const auto& [name, value] : rest.items())
    line += "  " + name + "=" + (value.is_string() ? value.get<std::string>() : json_text(value));
  std::printf("%s\n", line.c_str());
}

void print_record(const Json& record) {
  std::printf("%10llu  %s  %s\n", record["lsn"].get<unsigned long long>(),
              record["log_time"].get<std::string>().c_str(), record["kind"].get<std::string>().c_str());
  static constexpr const char* shown_apart[] = {"lsn",          "kind",   "log_time",  "run", "run_sequence",
                                                "run_previous", "inputs", "decisions", "end"};
  for (const auto& input : record.value("inputs", Json::array())) print_item("<-", input);
  for (const auto& decision : record.value("decisions", Json::array())) print_item("->", decision);
  if (record.contains("end")) print_item("==", record["end"]);
  Json rest = record;
  for (const auto* name : shown_apart) rest.erase(name);
  if (!rest.empty()) {
    rest["kind"] = "";
    print_item(" ", rest);
  }
}

void print_heading(const InstanceState& state) {
  std::printf("%s %s\nid %s  status %s  run %llu (number %u)\n", state.name.orchestrator.c_str(),
              json_text(key_json(state.name.key)).c_str(), to_hex(state.id).c_str(),
              state.quarantined ? "quarantined" : to_string(state.status), static_cast<unsigned long long>(state.run),
              state.run_number);
  std::printf("<- input of a turn   -> decision   == end of the run\n");
}

}  // namespace

int show(LogReader& log, const ShowOptions& options) {
  std::optional<InstanceState> state;
  std::vector<Json> records;
  {
    const auto snapshot = log.snapshot();
    state = FoldedLog(*snapshot).find(parse_instance(options.instance));
    if (!state || state->lsn == 0) throw NotFound("the log knows no instance " + options.instance);
    const auto run = options.run.value_or(state->run);
    PayloadDecoder payloads(*snapshot);
    for (const auto& record : history_of(*snapshot, newest_of(*snapshot, run, *state)))
      if (record.instance == state->id && record.run == run) records.push_back(record_json(record, payloads));
  }
  if (options.json) {
    std::printf("%s\n", json_text(Json{{"instance", state_json(*state)}, {"records", records}}, 2).c_str());
  } else {
    print_heading(*state);
    for (const auto& record : records) print_record(record);
  }
  return records.empty() && state->run != 0 ? 1 : 0;
}

}  // namespace bobbin::inspect
