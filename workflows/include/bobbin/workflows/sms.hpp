// What SMS consolidation takes and gives.
#pragma once

#include <bobbin/fields.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace bobbin::workflows {

// One message, as the gateway accepted it: the event "sms".
struct Sms {
  std::string from;
  std::string to;
  std::string text;                  // UTF-8
  std::string account;               // who handed it in
  std::uint32_t part_reference = 0;  // of a part of a longer message: its reference, count of parts, and number
  std::uint32_t part_total = 0;      // 0: a whole message
  std::uint32_t part_number = 0;
  std::string binary_hex;  // a message that is no text: its bytes
};

// The start input: how the windows of one conversation are cut, and how hard a batch is tried.
struct SmsWindow {
  Duration length = std::chrono::seconds(5);
  std::uint32_t max_messages = 100;
  std::uint64_t max_bytes = 64u << 10;  // of text; the message that reaches it is the batch's last
  std::string flush_word;               // a message of this text closes its window at once; empty: none
  std::uint32_t delivery_attempts = 0;  // 0: no limit but the total time
  Duration delivery_first_delay = std::chrono::seconds(1);
  double delivery_factor = 2;
  Duration delivery_delay_cap = std::chrono::minutes(1);
  double delivery_jitter = 0.1;
  Duration delivery_total_time = std::chrono::hours(24);
};

struct BatchedSms {
  std::string id;  // the event's position: what its sender was answered
  LogTime accepted_at{};
  Sms sms;
};

// One window's messages, in order of acceptance. Closed by time, it holds exactly the messages accepted from
// `opened_at` until before `closed_at`; closed by count, bytes or flush word, `closed_at` is its last message's
// acceptance.
struct SmsBatch {
  std::string from;
  std::string to;
  LogTime opened_at{};
  LogTime closed_at{};
  std::string closed_by;  // "time", "count", "bytes", "flush"
  std::vector<BatchedSms> messages;
};

// The delivering activity's input. The body is fixed here, so that every attempt sends the same bytes (S31).
struct BatchDelivery {
  std::string from;
  std::string to;
  std::uint32_t messages = 0;
  std::string body;
};

}  // namespace bobbin::workflows

template <>
struct bobbin::Fields<bobbin::workflows::Sms> {
  using T = workflows::Sms;
  static constexpr auto name = "bobbin.sms.Sms";
  static constexpr auto fields = std::tuple(
      field<1>("from", &T::from), field<2>("to", &T::to), field<3>("text", &T::text), field<4>("account", &T::account),
      field<5>("part_reference", &T::part_reference), field<6>("part_total", &T::part_total),
      field<7>("part_number", &T::part_number), field<8>("binary_hex", &T::binary_hex));
};

template <>
struct bobbin::Fields<bobbin::workflows::SmsWindow> {
  using T = workflows::SmsWindow;
  static constexpr auto name = "bobbin.sms.SmsWindow";
  static constexpr auto fields = std::tuple(
      field<1>("length", &T::length), field<2>("max_messages", &T::max_messages), field<3>("max_bytes", &T::max_bytes),
      field<4>("flush_word", &T::flush_word), field<5>("delivery_attempts", &T::delivery_attempts),
      field<6>("delivery_first_delay", &T::delivery_first_delay), field<7>("delivery_factor", &T::delivery_factor),
      field<8>("delivery_delay_cap", &T::delivery_delay_cap), field<9>("delivery_jitter", &T::delivery_jitter),
      field<10>("delivery_total_time", &T::delivery_total_time));
};

template <>
struct bobbin::Fields<bobbin::workflows::BatchDelivery> {
  using T = workflows::BatchDelivery;
  static constexpr auto name = "bobbin.sms.BatchDelivery";
  static constexpr auto fields = std::tuple(field<1>("from", &T::from), field<2>("to", &T::to),
                                            field<3>("messages", &T::messages), field<4>("body", &T::body));
};
