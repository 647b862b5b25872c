// A stream from an SMPP peer: cut into the same PDUs however it arrives, and each accepted PDU is written again as it
// came.
#include "tests/fuzz/input.hpp"
#include "tools/smpp/encode.hpp"
#include "tools/smpp/frame.hpp"
#include "tools/smpp/parts.hpp"
#include "tools/smpp/text.hpp"

#include <algorithm>

using namespace bobbin::smpp;
using bobbin::fuzz::require;

namespace {

struct Stream {
  std::vector<std::string> pdus;  // header included
  FrameBuffer::Result ending = FrameBuffer::Result::need_more;
};

void take_pdus(FrameBuffer& frames, Stream& stream) {
  Pdu pdu;
  while ((stream.ending = frames.next(pdu)) == FrameBuffer::Result::pdu) {
    require(pdu.header.length == header_bytes + pdu.body.size(), "a PDU has the length that it says");
    std::string bytes;
    append_header_only(bytes, pdu.header.command, pdu.header.status, pdu.header.sequence);
    stream.pdus.push_back(bytes.append(pdu.body));
  }
}

Stream read_stream(std::string_view bytes, std::size_t pdu_bytes_max, std::size_t chunk) {
  FrameBuffer frames(pdu_bytes_max);
  Stream stream;
  while (!bytes.empty() && stream.ending == FrameBuffer::Result::need_more) {
    const auto room = frames.writable();
    require(!room.empty(), "there is room until a PDU is complete");
    const auto count = std::min({room.size(), chunk, bytes.size()});
    std::copy_n(bytes.begin(), count, room.begin());
    bytes.remove_prefix(count);
    frames.commit(count);
    take_pdus(frames, stream);
  }
  return stream;
}

void check_submit(std::string_view body) {
  SubmitSm submit;
  if (decode_submit_sm(body, submit) != Status::ok) return;
  std::string pdu;
  append_submit_sm(pdu, 5, submit);
  const auto written = std::string_view(pdu).substr(header_bytes);
  // What stands before the TLVs is exactly what came; unknown and repeated TLVs are left out behind it.
  const auto end = static_cast<std::size_t>(submit.short_message.end() - body.begin());
  require(written.substr(0, end) == body.substr(0, end), "the fields of a submit_sm are written as they came");
  SubmitSm again;
  require(decode_submit_sm(written, again) == Status::ok, "what was written is accepted");
  require(again.user_message_reference == submit.user_message_reference && again.sar_index == submit.sar_index &&
              again.sar_total == submit.sar_total && again.sar_reference == submit.sar_reference &&
              again.message_payload == submit.message_payload,
          "TLVs come back as they were");
  UserData user_data;
  if (split_user_data(submit, user_data) != Status::ok) return;
  if (user_data.part)
    require(user_data.part->index >= 1 && user_data.part->index <= user_data.part->total,
            "a part is one of its message");
  const auto text = decode_text(submit.data_coding, user_data.content);
  require(is_utf8(text.utf8), "text is UTF-8");
  require(text.fidelity != Fidelity::binary || text.utf8.empty(), "binary content has no text");
}

void check_bind(Command command, std::string_view body) {
  Bind bind;
  if (decode_bind(body, bind) != Status::ok) return;
  std::string pdu;
  append_bind(pdu, command, 5, bind);
  const auto written = std::string_view(pdu).substr(header_bytes);
  require(written == body.substr(0, written.size()), "a bind is written as it came");
}

void check_responses(std::string_view body) {
  std::string_view text;
  std::string pdu;
  if (decode_bind_resp(body, text) == Status::ok)
    append_bind_resp(pdu, Command::bind_transceiver_resp, Status::ok, 5, text);
  if (decode_submit_sm_resp(body, text) == Status::ok) append_submit_sm_resp(pdu, Status::ok, 5, text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  bobbin::fuzz::Input input(data, size);
  const std::size_t pdu_bytes_max = input.number<std::uint16_t>() % 4096u;
  const std::size_t chunk = input.number<std::uint8_t>() + 1u;
  const auto bytes = input.rest();
  const auto stream = read_stream(bytes, pdu_bytes_max, bytes.size());
  const auto chunked = read_stream(bytes, pdu_bytes_max, chunk);
  require(stream.pdus == chunked.pdus && stream.ending == chunked.ending, "a stream is cut alike however it arrives");
  for (const auto& pdu : stream.pdus) {
    const auto body = std::string_view(pdu).substr(header_bytes);
    check_submit(body);
    check_bind(Command::bind_transceiver, body);
    check_responses(body);
  }
  return 0;
}
