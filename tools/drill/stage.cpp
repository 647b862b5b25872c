#include "tools/drill/stage.hpp"

#include "tools/gateway/boot_time.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace bobbin::drill {

namespace {

constexpr std::chrono::milliseconds tick_interval{5};
constexpr std::chrono::milliseconds tolerance_at_least{20};
constexpr std::chrono::seconds answers_within{60};

StageOptions prepared(StageOptions options) {
  std::filesystem::create_directories(options.directory);
  if (options.data_directory.empty()) options.data_directory = options.directory / "data";
  options.settings.data_directory = options.data_directory;
  return options;
}

}  // namespace

Stage::Stage(const StageOptions& options)
    : options_(prepared(options)),
      ticker_(io_),
      receiver_(io_, delivery_secret, options.seed),
      relay_(io_, receiver_.port()),
      gateway_(options_.gateway, options_.directory / "gateway.toml", options_.directory / "gateway.log"),
      clock_offset_(wall_now().time_since_epoch() - boot_time()) {
  options_.settings.delivery_url = options_.relayed ? receiver_.url(relay_.port()) : receiver_.url();
  write_gateway_config(options_.directory / "gateway.toml", options_.settings);
  for (std::size_t i = 0; i < options_.connections; ++i) {
    peers_.push_back(std::make_unique<Peer>(io_, [this] { return gateway_.ports().smpp; }));
    peers_.back()->start();
  }
  tick();
}

void Stage::tick() {
  watch_clock();
  ticker_.expires_after(tick_interval);
  ticker_.async_wait([this](const boost::system::error_code& error) {
    if (!error) tick();
  });
}

void Stage::watch_clock() {
  const auto moved = wall_now().time_since_epoch() - boot_time() - clock_offset_;
  drift_ = std::max(drift_, moved < Duration::zero() ? -moved : moved);
}

void Stage::start_gateway() { gateway_.start(); }

SentMessage& Stage::send(SentMessage message, std::size_t connection) {
  auto& kept = sent_.emplace_back(std::move(message));
  peers_[connection]->send(kept);
  return kept;
}

bool Stage::run_until(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    if (!gateway_may_end_ && gateway_.started() && gateway_.ended()) {
      const auto end = gateway_.wait_for_end(std::chrono::seconds(1));
      throw std::runtime_error("the gateway ended by itself, with " + to_string(end) + "; it said:\n" +
                               gateway_.log_of_life());
    }
    io_.run_one_until(deadline);
  }
  return true;
}

void Stage::run_for(std::chrono::milliseconds time) {
  run_until([] { return false; }, time);
}

std::size_t Stage::unsettled() const {
  return std::accumulate(peers_.begin(), peers_.end(), std::size_t{0},
                         [](std::size_t sum, const auto& peer) { return sum + peer->unsettled(); });
}

std::uint64_t Stage::refusals() const {
  return std::accumulate(peers_.begin(), peers_.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& peer) { return sum + peer->refusals(); });
}

std::size_t Stage::undelivered() {
  for (; looked_at_ < sent_.size(); ++looked_at_) open_.push_back(&sent_[looked_at_]);
  std::erase_if(open_, [this](const auto* message) { return message->answered && receiver_.has_text(message->text); });
  return static_cast<std::size_t>(
      std::count_if(open_.begin(), open_.end(), [](const auto* message) { return message->answered; }));
}

bool Stage::all_delivered() {
  const auto settled = [this](const SentMessage& message) {
    return !message.answered || receiver_.has_text(message.text);
  };
  while (delivered_up_to_ < sent_.size() && settled(sent_[delivered_up_to_])) ++delivered_up_to_;
  return delivered_up_to_ == sent_.size();
}

bool Stage::drain(std::chrono::milliseconds patience) {
  const bool answered = run_until([this] { return unsettled() == 0; }, answers_within);
  auto used = receiver_.batches().size();
  while (!run_until([this] { return all_delivered(); }, patience)) {
    if (receiver_.batches().size() == used) break;
    used = receiver_.batches().size();
  }
  run_for(options_.settings.window_length + std::chrono::milliseconds(250));
  return answered;
}

void Stage::forget() {
  open_.clear();
  looked_at_ = 0;
  sent_.clear();
  delivered_up_to_ = 0;
  receiver_.forget();
}

Verdict Stage::check(const SentMessages& sent, const ReceivedBatches& batches) const {
  CheckOptions options;
  options.window_length = options_.settings.window_length;
  options.messages_max = options_.settings.messages_max;
  options.tolerance = tolerance_at_least + drift_;
  return drill::check(sent, batches, options);
}

}  // namespace bobbin::drill
