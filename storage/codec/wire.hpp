// Small values shared by records and rows, to and from generated code. Included by storage/codec only.
#pragma once

#include "storage/schema/record.capnp.h"

#include <bobbin/state.hpp>

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>

namespace bobbin::storage::wire {

inline capnp::Data::Reader data(const std::string& text) {
  return {reinterpret_cast<const capnp::byte*>(text.data()), text.size()};
}
inline std::string text(capnp::Data::Reader data) { return {reinterpret_cast<const char*>(data.begin()), data.size()}; }

inline std::int64_t ticks(LogTime time) { return time.time_since_epoch().count(); }
inline std::int64_t ticks(Elapsed elapsed) { return elapsed.count(); }
inline LogTime log_time(std::int64_t ticks) { return LogTime(Duration(ticks)); }

struct IdWords {
  std::uint64_t low = 0;   // bytes 0 to 7
  std::uint64_t high = 0;  // bytes 8 to 15
};
IdWords words_of(const Id128& id);
Id128 id_of(std::uint64_t low, std::uint64_t high);

// Numbers that stand for something are known, or the reader stops. `bobbin::UnsupportedFormat` otherwise.
[[noreturn]] void unknown_number(const char* what, std::uint64_t number);

// What nobody can have written, however its bytes came to be: decode() makes it Corrupt.
struct Impossible {
  std::string why;
};

// Of an instance, as any caller had to give it (S6).
InstanceName instance_name(capnp::Data::Reader orchestrator, capnp::Data::Reader key);

template <class Enum>
std::uint16_t number_of(Enum value) {
  static_assert(std::is_same_v<std::underlying_type_t<Enum>, std::uint16_t>);
  return static_cast<std::uint16_t>(value);
}

template <class Enum>
Enum checked(std::uint16_t number, Enum first, Enum last, const char* what) {
  if (number < number_of(first) || number > number_of(last)) unknown_number(what, number);
  return static_cast<Enum>(number);
}

void put(format::Payload::Builder out, const Payload& payload);
Payload get(format::Payload::Reader in);
void put(format::Failure::Builder out, const ErrorInfo& error);
ErrorInfo get(format::Failure::Reader in);
ErrorInfo get_failure(format::Failure::Reader in);  // of something that did fail
void put(format::Position::Builder out, Position position);
Position get(format::Position::Reader in);
void put(format::Event::Builder out, const Event& event);
Event get(format::Event::Reader in);
void put(format::Schema::Builder out, const Schema& schema);
Schema get(format::Schema::Reader in);

inline bool is_default(const ErrorInfo& error) {
  return error.code == ErrorCode::none && error.type.empty() && error.message.empty() && !error.non_retryable;
}

}  // namespace bobbin::storage::wire
