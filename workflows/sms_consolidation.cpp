#include <bobbin/workflows/sms_consolidation.hpp>

#include <algorithm>
#include <optional>

namespace bobbin::workflows {

namespace {

constexpr int windows_a_run = 100;
// A window that has so many messages is a busy one: room for more is made at once.
constexpr std::size_t busy_window = 8;
constexpr std::size_t busy_window_room = 128;

using Delivery = std::optional<Activity<Nothing>>;

class Collector {
 public:
  Collector(Context& ctx, const SmsWindow& window, Received<Sms> first) : ctx_(ctx), window_(window) {
    batch_.from = first.value.from;
    batch_.to = first.value.to;
    batch_.opened_at = first.accepted_at;
    add(std::move(first));
  }

  SmsBatch collect() {
    if (!full()) {
      const auto closes = ctx_.create_timer_at(add_saturating(batch_.opened_at, window_.length));
      while (!full()) {
        auto sms = ctx_.wait_for_event<Sms>(sms_event, closes);
        if (!sms) return close(closes.due(), "time");
        add(std::move(*sms));
      }
    }
    return close(batch_.messages.back().accepted_at, reason_);
  }

 private:
  void add(Received<Sms> sms) {
    bytes_ += sms.value.text.size() + sms.value.binary_hex.size();
    const bool flush = !window_.flush_word.empty() && sms.value.text == window_.flush_word;
    if (batch_.messages.size() == busy_window)
      batch_.messages.reserve(std::min<std::size_t>(window_.max_messages, busy_window_room));
    batch_.messages.push_back({to_string(sms.position), sms.accepted_at, std::move(sms.value)});
    if (flush)
      reason_ = "flush";
    else if (batch_.messages.size() >= window_.max_messages)
      reason_ = "count";
    else if (bytes_ >= window_.max_bytes)
      reason_ = "bytes";
  }

  bool full() const { return !reason_.empty(); }

  SmsBatch close(LogTime at, std::string reason) {
    batch_.closed_at = at;
    batch_.closed_by = std::move(reason);
    return std::move(batch_);
  }

  Context& ctx_;
  const SmsWindow& window_;
  SmsBatch batch_;
  std::uint64_t bytes_ = 0;
  std::string reason_;
};

ActivityOptions delivery_options(const SmsWindow& window) {
  ActivityOptions options;
  options.retry.max_attempts = window.delivery_attempts;
  options.retry.first_delay = window.delivery_first_delay;
  options.retry.factor = window.delivery_factor;
  options.retry.cap = window.delivery_delay_cap;
  options.retry.jitter = window.delivery_jitter;
  options.retry.total_time = window.delivery_total_time;
  options.dead_letter_on_failure = true;
  return options;
}

void settle(Delivery& delivery) {
  if (!delivery) return;
  try {
    delivery->get();
  } catch (
      const Error&) {  // kept as a dead letter, which an operator can redrive; the next batch does not wait for that
  }
  delivery.reset();
}

Nothing consolidate(Context& ctx, const SmsWindow& window, const BatchWriter& write_body) {
  Delivery delivery;
  for (int served = 0; served < windows_a_run; ++served) {
    auto next = ctx.expect_event<Sms>(sms_event);
    if (delivery && ctx.when_any({&next, &*delivery}) == 1) {
      // Delivered, and no message waits: the conversation is quiet.
      next.cancel();
      break;
    }
    const auto batch = Collector(ctx, window, next.get()).collect();
    settle(delivery);
    const BatchDelivery input{batch.from, batch.to, static_cast<std::uint32_t>(batch.messages.size()),
                              write_body(batch)};
    delivery = ctx.schedule_activity<Nothing>(deliver_batch, input, delivery_options(window));
  }
  settle(delivery);
  return {};
}

}  // namespace

void register_sms_consolidation(Registry& registry, BatchWriter write_body) {
  registry.orchestrator(sms_consolidation, [write_body = std::move(write_body)](Context& ctx, const SmsWindow& window) {
    return consolidate(ctx, window, write_body);
  });
}

}  // namespace bobbin::workflows
