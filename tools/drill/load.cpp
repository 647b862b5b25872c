#include "tools/drill/load.hpp"

#include <algorithm>
#include <stdexcept>

namespace bobbin::drill {

namespace {

constexpr std::chrono::milliseconds step{5};
constexpr std::chrono::milliseconds wait_for_plain{3'000};  // well within what S30 remembers
constexpr const char* recipients[] = {"+49800100", "+49800200"};

}  // namespace

std::string sender_number(std::size_t sender) {
  auto digits = std::to_string(sender);
  return "+49151" + std::string(8 - std::min<std::size_t>(8, digits.size()), '0') + digits;
}

Load::Load(Stage& stage, const LoadOptions& options, std::uint64_t seed)
    : stage_(stage), options_(options), dice_(seed), seed_(seed) {}

void Load::send(std::size_t count) {
  for (std::size_t i = 0; i < count && stage_.unsettled() < options_.unsettled_max; ++i) {
    const auto from = sender_number(dice_.any_of(options_.senders));
    const std::string to = recipients[dice_.any_of(std::size(recipients))];
    const auto connection = dice_.any_of(stage_.connections());
    send_one(from, to, connection);
    if (dice_.chance(options_.paired)) send_one(from, to, (connection + 1) % stage_.connections());
    if (dice_.chance(options_.repeated)) repeat_one();
  }
}

bool Load::run(std::size_t rate, std::chrono::milliseconds time, const std::function<bool()>& enough) {
  const auto end = std::chrono::steady_clock::now() + time;
  do {
    owed_ += static_cast<double>(rate) * std::chrono::duration<double>(step).count();
    const auto due = static_cast<std::size_t>(owed_);
    send(due);
    owed_ -= static_cast<double>(due);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    stage_.run_for(std::clamp(left, std::chrono::milliseconds(0), step));
    if (enough()) return true;
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

void Load::forget() {
  plain_.clear();
  referenced_.clear();
}

void Load::run_until_killable(std::size_t rate, std::chrono::milliseconds limit, const std::function<bool()>& enough) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!enough() && wall_now() - oldest_unanswered_plain() > wait_for_plain) {
    if (std::chrono::steady_clock::now() > end)
      throw std::runtime_error("messages without a reference were not answered in time");
    run(rate, step);
  }
}

void Load::send_one(const std::string& from, const std::string& to, std::size_t connection) {
  SentMessage message;
  message.from = from;
  message.to = to;
  message.text = "drill " + std::to_string(seed_) + " message " + std::to_string(last_message_++);
  const bool referenced = dice_.chance(options_.with_reference);
  if (referenced) message.reference = ++last_reference_;
  auto& sent = stage_.send(std::move(message), connection);
  (referenced ? referenced_ : plain_).push_back(&sent);
}

void Load::repeat_one() {
  if (referenced_.empty()) return;
  // One of the latest: the others are as likely to be recognised, and more numerous with every round.
  const auto reach = std::min<std::size_t>(referenced_.size(), 2'000);
  auto& message = *referenced_[referenced_.size() - 1 - dice_.any_of(reach)];
  if (message.answered) stage_.repeat(message, dice_.any_of(stage_.connections()));
}

LogTime Load::oldest_unanswered_plain() {
  std::erase_if(plain_, [](const SentMessage* message) { return message->answered; });
  auto oldest = wall_now();
  for (const auto* message : plain_)
    if (message->sends != 0) oldest = std::min(oldest, message->first_sent);
  return oldest;
}

}  // namespace bobbin::drill
