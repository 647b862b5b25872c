// Cuts a stream of bytes into PDUs, in one buffer of fixed size.
#pragma once

#include "tools/smpp/pdu.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace bobbin::smpp {

class FrameBuffer {
 public:
  enum class Result {
    pdu,         // one PDU was taken
    need_more,   // the next PDU is not complete
    bad_length,  // its length is impossible or above the limit: the stream cannot be followed any further
  };

  // A PDU longer than `pdu_bytes_max` (at least 16) is refused.
  explicit FrameBuffer(std::size_t pdu_bytes_max);

  // Where received bytes go; never empty after next() has answered need_more. Invalidates every view that next() gave.
  std::span<char> writable();
  // `count` bytes of writable() have been filled.
  void commit(std::size_t count);

  // Takes the next PDU; its body lives until the next writable(). With bad_length only the header is filled.
  Result next(Pdu& pdu);

 private:
  std::size_t pdu_bytes_max_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace bobbin::smpp
