// The host's orchestrators and activities by name. Built by the host and handed to the engine; nothing registers
// itself.
#pragma once

#include <bobbin/activity.hpp>
#include <bobbin/context.hpp>

#include <functional>
#include <map>
#include <string>

namespace bobbin {

using OrchestratorCode = std::function<PayloadPtr(Context&, const PayloadPtr& input)>;
using ActivityCode = std::function<PayloadPtr(const ActivityContext&, const PayloadPtr& input)>;

namespace detail {
template <class F>
struct Signature;
template <class R, class C, class In>
struct Signature<R (*)(C, In)> {
  using Result = R;
  using Input = std::remove_cvref_t<In>;
};
template <class F, class R, class C, class In>
struct Signature<R (F::*)(C, In) const> : Signature<R (*)(C, In)> {};
template <class F>
concept FunctionPointer = std::is_pointer_v<F>;
template <class F>
struct SignatureOf : Signature<decltype(&F::operator())> {};
template <FunctionPointer F>
struct SignatureOf<F> : Signature<F> {};

// Adapts `R f(C, In)` to payloads; R may be void.
template <class C, class F>
auto adapt(F function) {
  using S = SignatureOf<F>;
  return [function = std::move(function)](C context, const PayloadPtr& payload) -> PayloadPtr {
    const auto input = decode<typename S::Input>(payload);
    if constexpr (std::is_void_v<typename S::Result>) {
      function(context, input);
      return nullptr;
    } else {
      return encode(function(context, input));
    }
  };
}
}  // namespace detail

class Registry {
 public:
  // `function`: R(Context&, const In&). Throws InvalidArgument for a name taken already or not of 1 to `name_bytes_max`
  // bytes.
  template <class F>
  void orchestrator(const std::string& name, F function) {
    add(orchestrators_, name, OrchestratorCode(detail::adapt<Context&>(std::move(function))));
  }
  // `function`: R(const ActivityContext&, const In&). Runs on activity threads, several at once.
  template <class F>
  void activity(const std::string& name, F function) {
    add(activities_, name, ActivityCode(detail::adapt<const ActivityContext&>(std::move(function))));
  }

  // Null if there is none. Valid as long as the registry.
  const OrchestratorCode* find_orchestrator(const std::string& name) const;
  const ActivityCode* find_activity(const std::string& name) const;

 private:
  template <class Code>
  static void add(std::map<std::string, Code>& codes, const std::string& name, Code code) {
    check_name(name, codes.contains(name));
    codes.emplace(name, std::move(code));
  }
  static void check_name(const std::string& name, bool taken);

  std::map<std::string, OrchestratorCode> orchestrators_;
  std::map<std::string, ActivityCode> activities_;
};

}  // namespace bobbin
