// A host with Cap'n Proto payloads; the struct is one that Cap'n Proto brings.
#include <bobbin/capnp.hpp>

#include <iostream>

using Version = bobbin::Capnp<capnp::schema::CapnpVersion>;

int main() {
  const Version sent([](auto version) { version.setMicro(7); });
  const auto received = bobbin::decode<Version>(bobbin::encode(sent));
  std::cout << static_cast<int>(received.view()->getMicro()) << '\n';
}
