// One taxonomy of errors for hosts, orchestrators, activities and tools.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

namespace bobbin {

// What a caller can do about it decides the code; the message says what happened, to what, and what to do.
// The numbers stand in the log (failures of activities and runs): they are only ever added to.
enum class ErrorCode : std::uint16_t {
  none = 0,
  application = 1,          // user code failed; see ErrorInfo::type
  cancelled = 2,            // the awaited work was cancelled
  timed_out = 3,            // a deadline passed
  invalid_argument = 4,     // misuse: repeat it only when corrected
  not_found = 5,            //
  already_exists = 6,       // a policy forbids a second run
  overloaded = 7,           // a bound was reached: later, with the same dedup id
  storage_full = 8,         // new work is refused until there is room again
  outcome_unknown = 9,      // it may or may not be durable: repeat with the same dedup id
  closed = 10,              // the engine is closed or closing
  locked = 11,              // another process or engine has the log open
  corrupt = 12,             // bytes on disk are not what was written
  unsupported_format = 13,  // written by a newer Bobbin, or on another kind of machine
  terminated = 14,          // the run was terminated
};

const char* to_string(ErrorCode code);

// A failure as a value: what callbacks get and what the log keeps.
struct ErrorInfo {
  ErrorCode code = ErrorCode::none;
  std::string type;     // of an application error: its author's name for it
  std::string message;  //
  bool non_retryable = false;

  explicit operator bool() const { return code != ErrorCode::none; }
  bool operator==(const ErrorInfo&) const = default;
};

class Error : public std::runtime_error {
 public:
  explicit Error(ErrorInfo info) : std::runtime_error(info.message), info_(std::move(info)) {}
  const ErrorInfo& info() const noexcept { return info_; }
  ErrorCode code() const noexcept { return info_.code; }

 private:
  ErrorInfo info_;
};

template <ErrorCode Code>
class ErrorOf : public Error {
 public:
  explicit ErrorOf(std::string message) : Error({Code, {}, std::move(message), false}) {}
  explicit ErrorOf(ErrorInfo info) : Error(std::move(info)) {}
};

// What user code throws to fail with a type of its own. `non_retryable` ends an activity's retries at once.
class ApplicationError : public Error {
 public:
  ApplicationError(std::string type, std::string message, bool non_retryable = false)
      : Error({ErrorCode::application, std::move(type), std::move(message), non_retryable}) {}
  explicit ApplicationError(ErrorInfo info) : Error(std::move(info)) {}
  const std::string& type() const noexcept { return info().type; }
};

using Cancelled = ErrorOf<ErrorCode::cancelled>;
using TimedOut = ErrorOf<ErrorCode::timed_out>;
using InvalidArgument = ErrorOf<ErrorCode::invalid_argument>;
using NotFound = ErrorOf<ErrorCode::not_found>;
using AlreadyExists = ErrorOf<ErrorCode::already_exists>;
using Overloaded = ErrorOf<ErrorCode::overloaded>;
using StorageFull = ErrorOf<ErrorCode::storage_full>;
using OutcomeUnknown = ErrorOf<ErrorCode::outcome_unknown>;
using Closed = ErrorOf<ErrorCode::closed>;
using Locked = ErrorOf<ErrorCode::locked>;
using Corrupt = ErrorOf<ErrorCode::corrupt>;
using UnsupportedFormat = ErrorOf<ErrorCode::unsupported_format>;
using Terminated = ErrorOf<ErrorCode::terminated>;

// Corrupt, and not one record or row but what holds them all: whoever owns the log stops, as nothing else of it can be
// relied on.
class CorruptLog : public Corrupt {
 public:
  using Corrupt::Corrupt;
};

// Throws the class that belongs to `info.code`.
[[noreturn]] void throw_error(const ErrorInfo& info);

// The failure that the exception being handled stands for; any type is mapped (S18). Call it inside `catch` only.
ErrorInfo current_error();

}  // namespace bobbin
