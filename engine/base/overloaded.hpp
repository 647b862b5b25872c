// Visits a variant with one lambda a type.
#pragma once

namespace bobbin {

template <class... Fs>
struct Overload : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
Overload(Fs...) -> Overload<Fs...>;

}  // namespace bobbin
