// Everything that can reach the orchestrator lane.
#pragma once

#include "engine/runtime/reply.hpp"

#include <bobbin/damage.hpp>
#include <bobbin/ports.hpp>
#include <bobbin/requests.hpp>

#include <string>
#include <variant>

namespace bobbin {

// start, raise_event and raise_event_with_start.
struct AcceptRequest {
  InstanceName name;
  InstanceId id;
  bool with_start = false;
  bool with_event = false;
  PayloadPtr start_input;
  std::string event;
  PayloadPtr value;
  std::string dedup_id;
  Id128 dedup_hash;  // of it; computed by the caller, whose thread has more time
  IfLive if_live = IfLive::use_existing;
  IfFinished if_finished = IfFinished::allow;
  Reply<Accepted> reply;
};

struct TerminateRequest {
  InstanceId id;
  std::string reason;
  TerminateOptions options;
  Id128 dedup_hash;
  Reply<Accepted> reply;
};

struct StatusRequest {
  InstanceId id;
  bool until_ended = false;
  Reply<InstanceStatus> reply;
};

struct ListRequest {
  ListQuery query;
  Reply<std::vector<InstanceState>> reply;
};

struct LedgersRequest {
  Reply<std::vector<Ledger>> reply;
};

struct DeadLettersRequest {
  Position after;
  std::size_t limit = 0;
  Reply<std::vector<DeadLetter>> reply;
};

struct OperatorRequest {
  OperatorAct act = OperatorAct::redrive;
  Position target;
  OperatorOptions options;
  Reply<Accepted> reply;
};

struct PurgeRequest {
  InstanceId id;
  OperatorOptions options;
  Id128 dedup_hash;
  Reply<Accepted> reply;
};

// An attempt has ended; from the activity threads. Beside the requests: nobody waits for an answer.
struct AttemptDone {
  InstanceId id;
  RunId run = 0;
  std::uint32_t ordinal = 0;
  std::uint32_t attempt = 1;
  Position redriven;  // the dead letter, of an attempt that an operator asked for
  ActivityOutcome outcome;
};

// What a client did wrong or may repeat later, or a damaged record that only its call needs: its own affair. Any other
// error means that the log is in trouble.
inline bool is_refusal(const Error& error) {
  const auto code = error.code();
  return code == ErrorCode::invalid_argument || code == ErrorCode::not_found || code == ErrorCode::already_exists ||
         code == ErrorCode::overloaded || code == ErrorCode::storage_full || is_damaged_record(error);
}

using Request = std::variant<AcceptRequest, TerminateRequest, StatusRequest, ListRequest, LedgersRequest,
                             DeadLettersRequest, OperatorRequest, PurgeRequest>;

// Payload bytes that the request holds, for the inbox's bound.
inline std::size_t bytes_of(const AcceptRequest& request) {
  return (request.value ? request.value->bytes.size() : 0) +
         (request.start_input ? request.start_input->bytes.size() : 0) + request.name.key.size() + sizeof request;
}

}  // namespace bobbin
