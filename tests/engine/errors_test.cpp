// One taxonomy of errors: a failure is the same as a value and as an exception.
#include <bobbin/error.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace bobbin;

namespace {

template <class Expected>
void check_thrown(ErrorCode code) {
  const ErrorInfo info{code, code == ErrorCode::application ? "Type" : "", "what happened", true};
  try {
    throw_error(info);
  } catch (const Expected& error) {
    CHECK(error.info() == info);
    CHECK(std::string(error.what()) == "what happened");
    CHECK(current_error() == info);
    return;
  } catch (...) {
  }
  FAIL("another type was thrown for ", to_string(code));
}

}  // namespace

TEST_CASE("Errors: each code has a name of its own, and its exception, which says the same") {
  std::set<std::string> names;
  for (std::uint16_t code = 0; code <= 14; ++code) names.insert(to_string(ErrorCode(code)));
  CHECK(names.size() == 15);
  CHECK(names.count("unknown") == 0);
  check_thrown<ApplicationError>(ErrorCode::application);
  check_thrown<Cancelled>(ErrorCode::cancelled);
  check_thrown<TimedOut>(ErrorCode::timed_out);
  check_thrown<InvalidArgument>(ErrorCode::invalid_argument);
  check_thrown<NotFound>(ErrorCode::not_found);
  check_thrown<AlreadyExists>(ErrorCode::already_exists);
  check_thrown<Overloaded>(ErrorCode::overloaded);
  check_thrown<StorageFull>(ErrorCode::storage_full);
  check_thrown<OutcomeUnknown>(ErrorCode::outcome_unknown);
  check_thrown<Closed>(ErrorCode::closed);
  check_thrown<Locked>(ErrorCode::locked);
  check_thrown<Corrupt>(ErrorCode::corrupt);
  check_thrown<UnsupportedFormat>(ErrorCode::unsupported_format);
  check_thrown<Terminated>(ErrorCode::terminated);
}
