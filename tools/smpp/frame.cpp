#include "tools/smpp/frame.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace bobbin::smpp {

// Room for two of the largest: a burst of small PDUs is then read in one go, and moving the rest down stays rare.
FrameBuffer::FrameBuffer(std::size_t pdu_bytes_max)
    : pdu_bytes_max_(std::max(pdu_bytes_max, header_bytes)), buffer_(2 * pdu_bytes_max_) {}

std::span<char> FrameBuffer::writable() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  return std::span(buffer_).subspan(end_);
}

void FrameBuffer::commit(std::size_t count) {
  assert(count <= buffer_.size() - end_);
  end_ += count;
}

FrameBuffer::Result FrameBuffer::next(Pdu& pdu) {
  const std::string_view received(buffer_.data() + begin_, end_ - begin_);
  if (received.size() < header_bytes) return Result::need_more;
  pdu.header = decode_header(received);
  pdu.body = {};
  if (pdu.header.length < header_bytes || pdu.header.length > pdu_bytes_max_) return Result::bad_length;
  if (received.size() < pdu.header.length) return Result::need_more;
  pdu.body = received.substr(header_bytes, pdu.header.length - header_bytes);
  begin_ += pdu.header.length;
  return Result::pdu;
}

}  // namespace bobbin::smpp
