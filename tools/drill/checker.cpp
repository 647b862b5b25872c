#include "tools/drill/checker.hpp"

#include "tools/drill/batch_body.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <unordered_map>

namespace bobbin::drill {

namespace {

using Conversation = std::pair<std::string, std::string>;

std::string show(LogTime time) { return std::to_string(time.time_since_epoch().count()) + " us"; }

class Check {
 public:
  Check(const SentMessages& sent, const ReceivedBatches& batches, const CheckOptions& options)
      : sent_(sent), batches_(batches), options_(options) {}

  Verdict run() {
    read_journals();
    for (std::size_t i = 0; i < bodies_.size(); ++i) check_batch(i);
    for (const auto& message : sent_) check_message(message);
    for (const auto& [conversation, windows] : windows_) check_windows(conversation, windows);
    verdict_.split = split_batches_.size();
    return std::move(verdict_);
  }

 private:
  void read_journals() {
    for (const auto& message : sent_) by_text_[message.text] = &message;
    for (std::size_t i = 0; i < batches_.size(); ++i) {
      auto body = parse_batch_body(batches_[i].body);
      if (!body) {
        split(i, "its body is not one of the gateway's");
        body.emplace();
      }
      for (const auto& message : body->messages) found_in_[message.text].push_back(i);
      windows_[{body->from, body->to}].push_back(i);
      bodies_.push_back(std::move(*body));
    }
  }

  void split(std::size_t batch, const std::string& what) {
    split_batches_.insert(batch);
    verdict_.broken.push_back({Promise::whole_windows, "batch " + batches_[batch].key + ": " + what});
  }

  void check_batch(std::size_t i) {
    const auto& body = bodies_[i];
    if (batches_[i].body_changed) split(i, "a repetition under its key had other bytes");
    if (body.messages.empty()) return split(i, "it is empty");
    if (body.messages.front().accepted_at != body.opened_at)
      split(i, "its window does not open with its first message");
    if (body.closed_by == "time") {
      if (body.closed_at != body.opened_at + options_.window_length)
        split(i, "closed by time, but not after the window's length");
    } else if (body.closed_by != "count" || body.messages.size() != options_.messages_max) {
      split(i, "closed by " + body.closed_by + " with " + std::to_string(body.messages.size()) + " messages");
    }
    for (std::size_t m = 0; m < body.messages.size(); ++m) {
      if (m != 0 && body.messages[m].accepted_at < body.messages[m - 1].accepted_at)
        split(i, "its messages are out of order");
      check_member(i, body.messages[m]);
    }
  }

  void check_member(std::size_t i, const BodyMessage& member) {
    const auto& body = bodies_[i];
    const auto found = by_text_.find(member.text);
    if (found == by_text_.end()) return split(i, "no client sent \"" + member.text + "\"");
    const auto& message = *found->second;
    const auto name = "\"" + member.text + "\", accepted at " + show(member.accepted_at) + ", ";
    if (message.from != body.from || message.to != body.to) split(i, name + "is of another conversation");
    const bool by_time = body.closed_by == "time";
    if (member.accepted_at < body.opened_at || member.accepted_at > body.closed_at ||
        (by_time && member.accepted_at == body.closed_at))
      split(i, name + "lies outside its window, " + show(body.opened_at) + " to " + show(body.closed_at));
    if (message.sends == 0 || member.accepted_at < message.first_sent - options_.tolerance)
      split(i, name + "was first sent at " + show(message.first_sent));
    if (!message.answered) return;
    if (member.accepted_at > message.acknowledged + options_.tolerance)
      split(i, name + "was acknowledged at " + show(message.acknowledged));
    if (member.id != message.message_id)
      split(i, name + "has id " + member.id + " but was acknowledged as " + message.message_id);
  }

  void check_message(const SentMessage& message) {
    const auto found = found_in_.find(message.text);
    const auto times = found == found_in_.end() ? 0 : found->second.size();
    if (message.answered) {
      ++verdict_.accepted;
      if (times != 0) ++verdict_.delivered;
      if (times == 0) lost(message);
    }
    if (times > 1) {
      doubled(message, "is in batches " + batches_[found->second[0]].key + " and " + batches_[found->second[1]].key);
    } else if (!message.differing_ids.empty()) {
      doubled(message, "was acknowledged as " + message.message_id + " and as " + message.differing_ids.front());
    }
    if (times == 1) check_place(message, found->second.front());
  }

  void lost(const SentMessage& message) {
    ++verdict_.lost;
    verdict_.broken.push_back({Promise::kept_messages, "\"" + message.text + "\" of " + message.from +
                                                           ", acknowledged as " + message.message_id + " at " +
                                                           show(message.acknowledged) + ", is in no batch"});
  }

  void doubled(const SentMessage& message, const std::string& what) {
    ++verdict_.doubled;
    verdict_.broken.push_back({Promise::once_only, "\"" + message.text + "\" of " + message.from + " " + what});
  }

  // A message that was sent and acknowledged within a window must be in that window's batch.
  void check_place(const SentMessage& message, std::size_t batch) {
    if (!message.answered) return;
    const auto windows = windows_.find({message.from, message.to});
    if (windows == windows_.end()) return;
    for (const auto i : windows->second) {
      const auto& body = bodies_[i];
      if (i == batch || message.first_sent < body.opened_at + options_.tolerance ||
          message.acknowledged >= body.closed_at - options_.tolerance)
        continue;
      split(i, "\"" + message.text + "\", sent at " + show(message.first_sent) + " and acknowledged at " +
                   show(message.acknowledged) + ", is not in it but in " + batches_[batch].key);
    }
  }

  // In the order of the windows; equal ones cannot be.
  void check_windows(const Conversation& conversation, std::vector<std::size_t> windows) {
    std::stable_sort(windows.begin(), windows.end(),
                     [this](auto left, auto right) { return bodies_[left].opened_at < bodies_[right].opened_at; });
    for (std::size_t w = 1; w < windows.size(); ++w) {
      const auto before = windows[w - 1];
      const auto next = windows[w];
      if (bodies_[next].opened_at < bodies_[before].closed_at)
        split(next,
              "its window of " + conversation.first + " opens before that of " + batches_[before].key + " closes");
      if (next < before) split(next, "it was delivered before the earlier " + batches_[before].key);
    }
  }

  const SentMessages& sent_;
  const ReceivedBatches& batches_;
  const CheckOptions& options_;
  Verdict verdict_;
  std::vector<BatchBody> bodies_;
  std::unordered_map<std::string, const SentMessage*> by_text_;
  std::unordered_map<std::string, std::vector<std::size_t>> found_in_;
  std::map<Conversation, std::vector<std::size_t>> windows_;
  std::set<std::size_t> split_batches_;
};

}  // namespace

Verdict& Verdict::operator+=(Verdict other) {
  accepted += other.accepted;
  delivered += other.delivered;
  lost += other.lost;
  doubled += other.doubled;
  split += other.split;
  std::move(other.broken.begin(), other.broken.end(), std::back_inserter(broken));
  return *this;
}

Verdict check(const SentMessages& sent, const ReceivedBatches& batches, const CheckOptions& options) {
  return Check(sent, batches, options).run();
}

}  // namespace bobbin::drill
