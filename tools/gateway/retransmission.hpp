// Tells a repeated message from a new one (SMPP has no idempotency key) and gives each message its dedup id: a
// repetition gets the id of the original, so that the engine takes it once.
#pragma once

#include "tools/smpp/parts.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace bobbin::gateway {

struct RetransmissionOptions {
  // On a living session an equal text is new, unless an earlier one has been unanswered this long.
  std::chrono::milliseconds unanswered_at_least{5'000};
  // An answer counts as received if its session then lived this long.
  std::chrono::milliseconds answer_settles_in{1'000};
  // How long after the end of its session, or after a restart, a message may still be repeated.
  std::chrono::milliseconds absorb_for{60'000};
  // What was accepted this long before a process death may be repeated.
  std::chrono::milliseconds before_death{5'000};
  // Messages remembered at one time; beyond it new ones without a reference are refused, since to forget could double.
  std::size_t remembered_max = 200'000;
};

// One message. Addresses are canonical; `content` is the octets as received, without a user data header.
struct Incoming {
  std::uint64_t session = 0;
  std::string_view account;
  std::string_view source;
  std::string_view destination;
  std::uint8_t data_coding = 0;
  std::string_view content;
  std::optional<std::uint16_t> user_message_reference;
  std::optional<smpp::PartInfo> part;
};

// Stands for a remembered message; 0 for one that need not be.
using Ticket = std::uint64_t;

struct Judgement {
  enum class Kind { fresh, repeated, derived, overloaded };
  // fresh: a new message. repeated: judged a repetition, with the original's id. derived: the id follows from a
  // reference that the message carries, the engine will know. overloaded: too many are remembered, ask the peer to come
  // again.
  Kind kind = Kind::fresh;
  std::string dedup_id;  // at most 64 bytes of letters, digits and '-'; empty if overloaded
  Ticket ticket = 0;     // for answered()
};

// What a message was answered with.
enum class Answer {
  accepted,
  refused,  // not accepted this time: the next equal one is new, unless this one was a repetition already
  unknown,  // perhaps accepted: the next equal one is the same
};

// Not thread-safe. It reads no clock: the caller passes the time, of one clock that never goes back.
class Retransmission {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `random_64` gives the occurrence numbers; they must not repeat, over restarts either, so it has to be
  // unpredictable.
  Retransmission(RetransmissionOptions options, std::function<std::uint64_t()> random_64);

  Judgement judge(const Incoming& incoming, Time now);

  // An id for a message of a client that cannot be asked (HTTP without an id): always new, nothing is remembered.
  std::string fresh_dedup_id(const Incoming& incoming);

  // The message was answered, or would have been had its session lived. Once for each judgement; ticket 0 is ignored.
  void answered(Ticket ticket, Answer answer, Time now);

  void session_closed(std::uint64_t session, Time now);

  // After a process death: `dedup_id` was accepted shortly before it (`before_death`) and may be repeated until then.
  // Answers whether it is remembered: not if it is no id of the fresh kind, or is known already.
  bool absorb_after_restart(std::string_view dedup_id, Time until);

  std::size_t remembered() const { return entries_.size(); }

 private:
  enum class State {
    open,      // unanswered on a living session
    settling,  // answered, the session has not lived long enough since
    orphan,    // session or process gone before that: absorbs the next equal one
  };
  struct Entry {
    std::string key;
    std::string dedup_id;
    std::uint64_t session = 0;  // the living one that it last came on; 0: none
    State state = State::open;
    Time received;
    Time expires;  // if not open
    std::size_t repetitions = 0;
    std::size_t unanswered = 0;  // judgements of it: the peer waits for the answer to the last one
  };
  using Entries = std::unordered_map<Ticket, Entry>;

  Judgement judge_by_content(const Incoming& incoming, Time now);
  Ticket find_original(const std::string& key, Time now) const;
  void attach(Ticket ticket, Entry& entry, std::uint64_t session, Time now);
  Ticket remember(Entry entry);
  void move_to(Ticket ticket, Entry& entry, State state, Time expires);
  void list_key(Ticket ticket, const Entry& entry);
  void unlist_key(Ticket ticket, const Entry& entry);
  void detach_session(Ticket ticket, const Entry& entry);
  void forget(Ticket ticket);
  void expire(Time now);

  RetransmissionOptions options_;
  std::function<std::uint64_t()> random_64_;
  Ticket last_ticket_ = 0;
  Entries entries_;
  std::unordered_map<std::string, std::set<Ticket>> by_key_;  // those that may absorb: open and orphan ones
  std::unordered_map<std::uint64_t, std::set<Ticket>> by_session_;
  std::set<std::pair<Time, Ticket>> expiries_;
};

// The dedup id of a message whose client names it itself (HTTP).
std::string dedup_id_of_client(std::string_view client, std::string_view source, std::string_view destination,
                               std::string_view message_id);

}  // namespace bobbin::gateway
