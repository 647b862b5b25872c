// Writing SMPP 3.4 PDUs. Each function appends one whole PDU to `out`; a field that does not fit its place in the
// protocol throws std::invalid_argument and leaves `out` as it was.
#pragma once

#include "tools/smpp/pdu.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace bobbin::smpp {

// enquire_link, unbind, their responses, generic_nack and error responses: a header and nothing else.
void append_header_only(std::string& out, Command command, Status status, std::uint32_t sequence);

// `command` is one of the three bind requests.
void append_bind(std::string& out, Command command, std::uint32_t sequence, const Bind& bind);

// `command` is one of the three bind responses.
void append_bind_resp(std::string& out, Command command, Status status, std::uint32_t sequence,
                      std::string_view system_id);

void append_submit_sm(std::string& out, std::uint32_t sequence, const SubmitSm& submit);

// A refusal carries no message id, as the protocol wants.
void append_submit_sm_resp(std::string& out, Status status, std::uint32_t sequence, std::string_view message_id);

}  // namespace bobbin::smpp
