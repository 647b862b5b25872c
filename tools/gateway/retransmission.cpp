#include "tools/gateway/retransmission.hpp"

#include "tools/gateway/dedup_id.hpp"

namespace bobbin::gateway {
namespace {

std::string decimal(std::uint64_t value) { return std::to_string(value); }

// The content belongs to a part's id although S30 knows a part without it: references wrap around after 256 messages,
// well within the dedup horizon, and a part with another text is not a repetition.
std::string id_of_part(const Incoming& incoming) {
  const smpp::PartInfo& part = *incoming.part;
  return derived_id('p',
                    hash_fields({incoming.source, incoming.destination, decimal(part.reference), decimal(part.total),
                                 decimal(part.index), decimal(incoming.data_coding), incoming.content}));
}

std::string id_of_reference(const Incoming& incoming) {
  return derived_id(
      'r', hash_fields({incoming.account, incoming.source, incoming.destination,
                        decimal(*incoming.user_message_reference), decimal(incoming.data_coding), incoming.content}));
}

std::string content_key(const Incoming& incoming) {
  return hash_fields(
      {incoming.account, incoming.source, incoming.destination, decimal(incoming.data_coding), incoming.content});
}

}  // namespace

std::string dedup_id_of_client(std::string_view client, std::string_view source, std::string_view destination,
                               std::string_view message_id) {
  return derived_id('c', hash_fields({client, source, destination, message_id}));
}

Retransmission::Retransmission(RetransmissionOptions options, std::function<std::uint64_t()> random_64)
    : options_(options), random_64_(std::move(random_64)) {}

Judgement Retransmission::judge(const Incoming& incoming, Time now) {
  expire(now);
  if (incoming.part) return {Judgement::Kind::derived, id_of_part(incoming), 0};
  if (incoming.user_message_reference) return {Judgement::Kind::derived, id_of_reference(incoming), 0};
  return judge_by_content(incoming, now);
}

std::string Retransmission::fresh_dedup_id(const Incoming& incoming) {
  return occurrence_id(content_key(incoming), random_64_());
}

Judgement Retransmission::judge_by_content(const Incoming& incoming, Time now) {
  const std::string key = content_key(incoming);
  if (const Ticket original = find_original(key, now); original != 0) {
    Entry& entry = entries_.at(original);
    attach(original, entry, incoming.session, now);
    return {Judgement::Kind::repeated, entry.dedup_id, original};
  }
  if (entries_.size() >= options_.remembered_max) return {Judgement::Kind::overloaded, {}, 0};
  Entry entry;
  entry.key = key;
  entry.dedup_id = occurrence_id(key, random_64_());
  entry.session = incoming.session;
  entry.received = now;
  entry.unanswered = 1;
  const std::string dedup_id = entry.dedup_id;
  return {Judgement::Kind::fresh, dedup_id, remember(std::move(entry))};
}

// An orphan first, the oldest; else the one unanswered for long that was repeated least: of two equal messages that are
// both repeated, each repetition then finds its own.
Ticket Retransmission::find_original(const std::string& key, Time now) const {
  const auto same = by_key_.find(key);
  if (same == by_key_.end()) return 0;
  Ticket best = 0;
  for (const Ticket ticket : same->second) {
    const Entry& entry = entries_.at(ticket);
    if (entry.state == State::orphan) return ticket;
    const bool overdue = entry.state == State::open && now - entry.received >= options_.unanswered_at_least;
    if (overdue && (best == 0 || entry.repetitions < entries_.at(best).repetitions)) best = ticket;
  }
  return best;
}

// The repetition takes the original's place: what happens to its session decides from now on.
void Retransmission::attach(Ticket ticket, Entry& entry, std::uint64_t session, Time now) {
  // An orphan has no session left to wait for an answer from; its repetition is waiting from now.
  if (entry.state == State::orphan) entry.received = now;
  detach_session(ticket, entry);
  ++entry.repetitions;
  ++entry.unanswered;
  entry.session = session;
  by_session_[session].insert(ticket);
  move_to(ticket, entry, State::open, {});
}

Ticket Retransmission::remember(Entry entry) {
  const Ticket ticket = ++last_ticket_;
  list_key(ticket, entry);
  if (entry.session != 0) by_session_[entry.session].insert(ticket);
  if (entry.state != State::open) expiries_.emplace(entry.expires, ticket);
  entries_.emplace(ticket, std::move(entry));
  return ticket;
}

void Retransmission::move_to(Ticket ticket, Entry& entry, State state, Time expires) {
  if (entry.state != State::open) expiries_.erase({entry.expires, ticket});
  entry.state = state;
  entry.expires = expires;
  if (state != State::open) expiries_.emplace(expires, ticket);
  if (state == State::settling) {
    unlist_key(ticket, entry);
  } else {
    list_key(ticket, entry);
  }
}

void Retransmission::answered(Ticket ticket, Answer answer, Time now) {
  expire(now);
  const auto found = entries_.find(ticket);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  if (entry.unanswered > 0) --entry.unanswered;
  switch (answer) {
    case Answer::accepted:
      // With its session gone the peer cannot have read the answer; the entry goes on waiting for the repetition, or
      // for the repetition's own answer.
      if (entry.session != 0 && entry.unanswered == 0)
        move_to(ticket, entry, State::settling, now + options_.answer_settles_in);
      return;
    case Answer::refused:
      // A repetition that is refused says nothing about the original, which may be in the log.
      if (entry.repetitions == 0) return forget(ticket);
      return move_to(ticket, entry, State::orphan, now + options_.absorb_for);
    case Answer::unknown:
      return move_to(ticket, entry, State::orphan, now + options_.absorb_for);
  }
}

void Retransmission::session_closed(std::uint64_t session, Time now) {
  expire(now);
  const auto found = by_session_.find(session);
  if (found == by_session_.end()) return;
  const std::set<Ticket> tickets = std::move(found->second);
  by_session_.erase(found);
  for (const Ticket ticket : tickets) {
    Entry& entry = entries_.at(ticket);
    entry.session = 0;
    move_to(ticket, entry, State::orphan, now + options_.absorb_for);
  }
}

bool Retransmission::absorb_after_restart(std::string_view dedup_id, Time until) {
  const auto key = key_of(dedup_id);
  if (!key || entries_.size() >= options_.remembered_max) return false;
  if (const auto same = by_key_.find(*key); same != by_key_.end()) {
    for (const Ticket ticket : same->second) {
      if (entries_.at(ticket).dedup_id == dedup_id) return false;
    }
  }
  Entry entry;
  entry.key = *key;
  entry.dedup_id = dedup_id;
  entry.state = State::orphan;
  entry.expires = until;
  remember(std::move(entry));
  return true;
}

void Retransmission::list_key(Ticket ticket, const Entry& entry) { by_key_[entry.key].insert(ticket); }

void Retransmission::unlist_key(Ticket ticket, const Entry& entry) {
  const auto same = by_key_.find(entry.key);
  if (same == by_key_.end()) return;
  same->second.erase(ticket);
  if (same->second.empty()) by_key_.erase(same);
}

void Retransmission::detach_session(Ticket ticket, const Entry& entry) {
  const auto found = by_session_.find(entry.session);
  if (found == by_session_.end()) return;
  found->second.erase(ticket);
  if (found->second.empty()) by_session_.erase(found);
}

void Retransmission::forget(Ticket ticket) {
  const auto found = entries_.find(ticket);
  Entry& entry = found->second;
  detach_session(ticket, entry);
  unlist_key(ticket, entry);
  if (entry.state != State::open) expiries_.erase({entry.expires, ticket});
  entries_.erase(found);
}

// Settled answers and orphans whose time is over. What is open on a living session stays as long as that lives; the
// window of the session bounds it.
void Retransmission::expire(Time now) {
  while (!expiries_.empty() && expiries_.begin()->first <= now) forget(expiries_.begin()->second);
}

}  // namespace bobbin::gateway
