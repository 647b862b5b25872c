#include "tools/drill/power/gateway_trial.hpp"

#include "tools/drill/batch_body.hpp"
#include "tools/drill/stage.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <map>
#include <set>
#include <utility>

namespace bobbin::drill {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds limit{20'000};

StageOptions stage_options(const GatewayTrial& trial) {
  StageOptions options;
  options.gateway = trial.program;
  options.directory = trial.directory;
  options.data_directory = trial.data_directory;
  options.connections = 1;
  options.seed = trial.seed;
  options.settings = trial.settings;
  return options;
}

int status_of(Promise promise) {
  if (promise == Promise::kept_messages) return image_lost;
  return promise == Promise::once_only ? image_doubled : image_corrupt;
}

class Trial {
 public:
  Trial(const GatewayTrial& trial, const Witness& witness)
      : witness_(witness), all_(witness.batches), stage_(stage_options(trial)) {
    for (std::size_t i = 0; i < all_.size(); ++i) by_key_[all_[i].key] = i;
    stage_.receiver().on_used([this](const ReceivedBatch& batch) { take(batch); });
  }

  GatewayFound run() {
    stage_.start_gateway();
    if (!stage_.run_until([this] { return stage_.gateway().ports().all_open(); }, limit))
      return wrong("the gateway does not listen");
    SentMessage message;
    message.from = "+4915188888888";
    message.to = "+49800100";
    message.text = "to the gateway after the cut";
    const auto& sent = stage_.send(std::move(message), 0);
    if (!stage_.run_until([&sent] { return sent.answered; }, limit)) return wrong("the gateway accepts nothing");
    found_.accepted = {Outcome::Kind::accepted, 0, sent.message_id, sent.text};
    // What does not come is told by the verdict.
    stage_.run_until([this] { return all_owed_is_here(); }, limit);
    stage_.let_gateway_end(true);
    stage_.gateway().ask_to_end();
    stage_.run_until([this] { return stage_.gateway().ended(); }, limit);  // its client says goodbye, too
    const auto end = stage_.gateway().wait_for_end(limit);
    if (end.signalled || end.code != 0) return wrong("the gateway does not end well when it is asked to");
    return judged();
  }

 private:
  void take(const ReceivedBatch& batch) {
    const auto [at, is_new] = by_key_.try_emplace(batch.key, all_.size());
    if (is_new) {
      all_.push_back(batch);
    } else {
      ++all_[at->second].times;
      all_[at->second].body_changed |= all_[at->second].body != batch.body;
    }
  }

  bool all_owed_is_here() {
    if (!stage_.all_delivered()) return false;
    return std::all_of(witness_.sent.begin(), witness_.sent.end(), [this](const SentMessage& message) {
      return !message.answered || stage_.receiver().has_text(message.text) || was_used(message.text);
    });
  }

  bool was_used(const std::string& text) {
    if (used_.empty())
      for (const auto& batch : witness_.batches)
        if (const auto body = parse_batch_body(batch.body))
          for (const auto& message : body->messages) used_.insert(message.text);
    return used_.contains(text);
  }

  GatewayFound judged() {
    auto sent = witness_.sent;
    std::copy(stage_.sent().begin(), stage_.sent().end(), std::back_inserter(sent));
    const auto verdict = stage_.check(sent, all_);
    if (verdict.broken.empty()) return found_;
    // What is lost may break more than that.
    const auto is_lost = [](const BrokenPromise& broken) { return broken.promise == Promise::kept_messages; };
    const auto lost = std::find_if(verdict.broken.begin(), verdict.broken.end(), is_lost);
    const auto& worst = lost == verdict.broken.end() ? verdict.broken.front() : *lost;
    return wrong(worst.what, status_of(worst.promise));
  }

  GatewayFound wrong(const std::string& what, int status = image_corrupt) {
    found_.status = status;
    auto said = stage_.gateway().log_of_life();
    std::replace(said.begin(), said.end(), '\n', ' ');
    found_.what = what + "; the real gateway said: " + said;
    return found_;
  }

  const Witness& witness_;
  ReceivedBatches all_;
  std::map<std::string, std::size_t> by_key_;
  std::set<std::string> used_;
  Stage stage_;
  GatewayFound found_;
};

}  // namespace

GatewayFound try_gateway(const GatewayTrial& trial, const Witness& witness) {
  try {
    return Trial(trial, witness).run();
  } catch (const std::exception& error) {
    return {image_corrupt, error.what(), {}};
  }
}

}  // namespace bobbin::drill
