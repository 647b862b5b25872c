#include "tools/drill/power/image_check.hpp"

#include "tools/drill/batch_body.hpp"
#include "tools/drill/power/operations.hpp"
#include "tools/gateway/batch_json.hpp"

#include <bobbin/engine.hpp>
#include <bobbin/lmdb.hpp>
#include <bobbin/verify.hpp>
#include <bobbin/workflows/sms_consolidation.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace bobbin::drill {

namespace {

constexpr std::size_t repeated_max = 3;
constexpr std::size_t new_messages = 3;
constexpr std::chrono::seconds call_limit{20};

// What ends a check.
struct Found {
  int status = image_sound;
  std::string what;
};

struct AcceptedMessage {
  InstanceName conversation;
  workflows::Sms sms;
  std::string dedup_id;
  Position position;
};

// What the records say, read one by one.
struct Contents {
  std::map<std::string, AcceptedMessage> messages;  // by id
  std::set<std::string> bodies;                     // of batches that are to be sent
  std::map<InstanceId, InstanceName> names;

  void take(const Record& record) {
    if (const auto* accepted = std::get_if<AcceptedBody>(&record.body)) take(record, accepted->inputs);
    const auto* turn = std::get_if<TurnBody>(&record.body);
    if (!turn) return;
    take(record, turn->inputs);
    for (const auto& decision : turn->decisions)
      if (const auto* scheduled = std::get_if<ActivityScheduled>(&decision))
        take_body(decode<workflows::BatchDelivery>(scheduled->input).body);
  }

 private:
  void take(const Record& record, const std::vector<Input>& inputs) {
    for (const auto& input : inputs) {
      if (const auto* start = std::get_if<StartInput>(&input)) names[record.instance] = start->name;
      const auto* event = std::get_if<EventInput>(&input);
      if (!event || event->event.position.lsn != record.lsn) continue;
      const auto id = to_string(event->event.position);
      auto& message = messages[id];
      message = {names[record.instance], decode<workflows::Sms>(event->event.value), event->event.dedup_id,
                 event->event.position};
      once(accepted_texts, message.sms.text, "accepted");
    }
  }

  void take_body(const std::string& body) {
    bodies.insert(body);
    const auto batch = parse_batch_body(body);
    if (!batch) throw Found{image_corrupt, "a batch is to be sent with a body that is none: " + body};
    for (const auto& message : batch->messages) once(batched_texts, message.text, "in a batch");
  }

  // Every message of a drill has a text of its own.
  static void once(std::set<std::string>& texts, const std::string& text, const char* what) {
    if (!texts.insert(text).second) throw Found{image_doubled, "\"" + text + "\" is twice " + what};
  }

  std::set<std::string> accepted_texts;
  std::set<std::string> batched_texts;
};

class ImageCheck {
 public:
  explicit ImageCheck(const ImageOrder& order) : order_(order), outcomes_(read_outcomes(order.outcomes)) {
    outcomes_.resize(std::min(outcomes_.size(), order.seen));
  }

  Found run() {
    try {
      if (std::filesystem::exists(order_.log / "data.mdb")) verify_all("as the cut left it", {});
      recover_and_work();
      verify_all("after new work", added_);
      return {};
    } catch (const Found& found) {
      return found;
    } catch (const Error& error) {
      return {image_corrupt, std::string(to_string(error.code())) + ": " + error.what()};
    } catch (const std::exception& error) {
      return {image_corrupt, error.what()};
    }
  }

 private:
  void recover_and_work() {
    auto store = open_lmdb(order_.log);
    Contents contents;
    store->snapshot()->scan(store->info().first_lsn, [&](Record&& record) {
      contents.take(record);
      return true;
    });
    compare(contents, "in the opened log");
    Registry registry;
    workflows::register_sms_consolidation(registry, gateway::batch_json);
    registry.activity(workflows::deliver_batch,
                      [](const ActivityContext&, const workflows::BatchDelivery&) { return Nothing{}; });
    Engine engine(std::move(store), std::move(registry));
    expect_ledger(engine, contents.messages.size());
    hand_in(engine);
    repeat(engine, contents);
    expect_ledger(engine, contents.messages.size() + added_.size());
    engine.close();
  }

  void compare(const Contents& contents, const std::string& when) const {
    for (const auto& outcome : outcomes_) {
      if (outcome.kind == Outcome::Kind::sent) {
        if (!contents.bodies.contains(outcome.text))
          throw Found{image_lost, "a batch was sent and its decision is not " + when + ": " + outcome.text};
        continue;
      }
      const auto found = contents.messages.find(outcome.id);
      if (found == contents.messages.end())
        throw Found{image_lost, "message " + outcome.id + " was acknowledged and is not " + when};
      if (found->second.sms.text != outcome.text)
        throw Found{image_corrupt, "message " + outcome.id + " has another text " + when};
    }
  }

  static void expect_ledger(Engine& engine, std::size_t accepted) {
    std::uint64_t counted = 0;
    for (const auto& ledger : engine.ledgers(call_limit)) {
      if (!ledger.balanced()) throw Found{image_corrupt, "the ledger of " + ledger.orchestrator + " is not balanced"};
      counted += ledger.accepted;
    }
    if (counted != accepted)
      throw Found{image_corrupt, "the ledger counts " + std::to_string(counted) + " accepted messages, the records " +
                                     std::to_string(accepted)};
  }

  void hand_in(Engine& engine) {
    for (std::size_t i = 0; i < new_messages; ++i) {
      workflows::Sms sms;
      sms.from = "+4915199999" + std::to_string(i);
      sms.to = "+49800100";
      // Told from those of an earlier life of the same log.
      sms.text = "after the cut " + std::to_string(order_.seen) + " of life " + order_.new_work.filename().string() +
                 " message " + std::to_string(i);
      const auto accepted =
          engine.raise_event_with_start({workflows::sms_consolidation, sms.from + "\t" + sms.to}, window(),
                                        workflows::sms_event, sms, {.dedup_id = sms.text}, call_limit);
      if (accepted.how == Acceptance::duplicate) throw Found{image_corrupt, "a new message was called a repetition"};
      const auto recorded = order_.new_work.empty() ? 0 : recording_length(std::getenv(recording_variable));
      added_.push_back({Outcome::Kind::accepted, recorded, to_string(accepted.position), sms.text});
    }
    if (!order_.new_work.empty()) append_outcomes(order_.new_work, added_);
  }

  // A client repeats what it has been answered: the answer is the same (S13).
  void repeat(Engine& engine, const Contents& contents) const {
    std::size_t repeated = 0;
    for (auto outcome = outcomes_.rbegin(); outcome != outcomes_.rend() && repeated < repeated_max; ++outcome) {
      if (outcome->kind != Outcome::Kind::accepted) continue;
      ++repeated;
      const auto& message = contents.messages.at(outcome->id);
      const auto again = engine.raise_event_with_start(message.conversation, window(), workflows::sms_event,
                                                       message.sms, {.dedup_id = message.dedup_id}, call_limit);
      if (again.how != Acceptance::duplicate || again.position != message.position)
        throw Found{image_corrupt,
                    "message " + outcome->id + " was accepted a second time, as " + to_string(again.position)};
    }
  }

  static workflows::SmsWindow window() { return {}; }

  void verify_all(const std::string& when, const std::vector<Outcome>& more) {
    const auto log = open_lmdb_read_only(order_.log);
    Contents contents;
    VerifyVisitor visitor;
    visitor.record = [&contents](const Record& record) { contents.take(record); };
    const auto report = verify(*log, visitor);
    if (!report.ok())
      throw Found{image_corrupt, "verify " + when + ": record " + std::to_string(report.issues.front().lsn) + ": " +
                                     report.issues.front().what};
    outcomes_.insert(outcomes_.end(), more.begin(), more.end());
    compare(contents, "in the log " + when);
  }

  const ImageOrder& order_;
  std::vector<Outcome> outcomes_;
  std::vector<Outcome> added_;
};

}  // namespace

void append_outcomes(const std::filesystem::path& file, const std::vector<Outcome>& outcomes) {
  std::ofstream out(file, std::ios::app);
  for (const auto& outcome : outcomes)
    out << static_cast<char>(outcome.kind) << '\t' << outcome.recorded << '\t' << outcome.id << '\t' << outcome.text
        << '\n';
  if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
}

std::vector<Outcome> read_outcomes(const std::filesystem::path& file) {
  std::vector<Outcome> outcomes;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    Outcome outcome;
    std::string kind;
    std::string recorded;
    std::getline(fields, kind, '\t');
    std::getline(fields, recorded, '\t');
    std::getline(fields, outcome.id, '\t');
    std::getline(fields, outcome.text);
    outcome.kind = static_cast<Outcome::Kind>(kind.at(0));
    outcome.recorded = std::stoull(recorded);
    outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

int check_image(const ImageOrder& order) {
  const auto found = ImageCheck(order).run();
  if (found.status != image_sound) std::printf("%s\n", found.what.c_str());
  return found.status;
}

}  // namespace bobbin::drill
