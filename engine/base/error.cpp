#include <bobbin/error.hpp>

#include <cxxabi.h>

#include <cstdlib>
#include <memory>
#include <typeinfo>

namespace bobbin {

const char* to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::none:
      return "none";
    case ErrorCode::application:
      return "application";
    case ErrorCode::cancelled:
      return "cancelled";
    case ErrorCode::timed_out:
      return "timed_out";
    case ErrorCode::invalid_argument:
      return "invalid_argument";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::already_exists:
      return "already_exists";
    case ErrorCode::overloaded:
      return "overloaded";
    case ErrorCode::storage_full:
      return "storage_full";
    case ErrorCode::outcome_unknown:
      return "outcome_unknown";
    case ErrorCode::closed:
      return "closed";
    case ErrorCode::locked:
      return "locked";
    case ErrorCode::corrupt:
      return "corrupt";
    case ErrorCode::unsupported_format:
      return "unsupported_format";
    case ErrorCode::terminated:
      return "terminated";
  }
  return "unknown";
}

void throw_error(const ErrorInfo& info) {
  switch (info.code) {
    case ErrorCode::none:
      throw InvalidArgument("an error without a code was thrown: " + info.message);
    case ErrorCode::application:
      throw ApplicationError(info);
    case ErrorCode::cancelled:
      throw Cancelled(info);
    case ErrorCode::timed_out:
      throw TimedOut(info);
    case ErrorCode::invalid_argument:
      throw InvalidArgument(info);
    case ErrorCode::not_found:
      throw NotFound(info);
    case ErrorCode::already_exists:
      throw AlreadyExists(info);
    case ErrorCode::overloaded:
      throw Overloaded(info);
    case ErrorCode::storage_full:
      throw StorageFull(info);
    case ErrorCode::outcome_unknown:
      throw OutcomeUnknown(info);
    case ErrorCode::closed:
      throw Closed(info);
    case ErrorCode::locked:
      throw Locked(info);
    case ErrorCode::corrupt:
      throw Corrupt(info);
    case ErrorCode::unsupported_format:
      throw UnsupportedFormat(info);
    case ErrorCode::terminated:
      throw Terminated(info);
  }
  throw Error(info);
}

namespace {

std::string type_name_of_current_exception() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (!type) return "unknown";
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(type->name(), nullptr, nullptr, &status),
                                                    std::free);
  return status == 0 ? name.get() : type->name();
}

}  // namespace

ErrorInfo current_error() {
  try {
    throw;
  } catch (const Error& error) {
    auto info = error.info();
    if (!info) info.code = ErrorCode::application;  // it was thrown: no code may make a success of it
    return info;
  } catch (const std::exception& error) {
    return {ErrorCode::application, type_name_of_current_exception(), error.what(), false};
  } catch (...) {
    return {ErrorCode::application, type_name_of_current_exception(), "an exception of no known type", false};
  }
}

}  // namespace bobbin
