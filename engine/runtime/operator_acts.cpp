#include "engine/runtime/operator_acts.hpp"

#include <optional>

namespace bobbin {

void OperatorActs::act(OperatorRequest& request, Lsn durable) {
  std::optional<DeadLetter> letter;
  AnswerOnce::Identity call;
  const auto identify = [&] {
    letter = core_.overlay.find_dead_letter(request.target);
    if (!letter) throw NotFound("there is no dead letter " + to_string(request.target));
    call.id = instance_id(letter->name);  // within which its dedup id counts
    const auto& dedup_id = request.options.dedup_id;
    if (!dedup_id.empty()) call.hash = dedup_hash(core_.info.log_id, call.id, dedup_id);
    return call;
  };
  answer_once_(request.reply, identify, [&] { return perform(request, *letter, call.id, durable); });
}

Accepted OperatorActs::perform(const OperatorRequest& request, const DeadLetter& letter, const InstanceId& id,
                               Lsn durable) {
  if (letter.state != DeadLetterState::dead)
    throw InvalidArgument("dead letter " + to_string(request.target) + " is " + to_string(letter.state) +
                          " already: only a dead one can be acted on");
  if (request.act == OperatorAct::redrive) core_.room.expect_room();
  const bool revive = request.act == OperatorAct::redrive && !letter.is_activity;
  auto event = revive ? std::optional(event_of(letter)) : std::nullopt;  // read before anything is appended
  OperatorActBody body;
  body.act = request.act;
  body.target = request.target;
  body.note = request.options.note;
  body.dedup_id = request.options.dedup_id;
  body.run = letter.run;
  const auto lsn = core_.log.append(id, std::move(body));
  if (revive)
    revive_event(letter, std::move(*event), durable);
  else if (request.act == OperatorAct::redrive)
    desk_.redrive(core_.overlay.dead_letter(request.target), lsn);
  return {Acceptance::done, id, letter.run, 0, {lsn, 0}, core_.clock.now()};
}

void OperatorActs::purge(PurgeRequest& request) {
  answer_once_(request.reply, request.id, request.dedup_hash, [&] {
    const auto* instance = core_.overlay.find(request.id);
    if (!instance || instance->state.run == 0)
      throw NotFound("no run of this instance is known: there is nothing to purge");
    const auto& state = instance->state;
    if (state.live())
      throw InvalidArgument("run " + std::to_string(state.run) +
                            " of this instance is live: terminate it first, or wait for its end");
    const auto run = state.run;
    const auto from = state.run_number == 1 ? run : 1;
    OperatorActBody body;
    body.act = OperatorAct::purge;
    body.note = request.options.note;
    body.dedup_id = request.options.dedup_id;
    body.run = run;
    const auto lsn = core_.log.append(request.id, std::move(body));
    core_.purge.mark(from, lsn);
    return Accepted{Acceptance::done, request.id, run, 0, {lsn, 0}, core_.clock.now()};
  });
}

Event OperatorActs::event_of(const DeadLetter& letter) {
  UnreadEvent where;
  where.position = letter.position;
  where.source = letter.source.lsn;
  return turns_.copies_of({where}).front();
}

// The event is pending again, at its old position, for the live run or in the mailbox.
void OperatorActs::revive_event(const DeadLetter& letter, Event event, Lsn durable) {
  auto& instance = *core_.overlay.find(instance_id(letter.name));
  if (!instance.state.live()) {
    mailbox_.keep(instance, letter.name, std::move(event));
    return;
  }
  std::vector<Input> inputs;
  inputs.push_back(EventInput{std::move(event), {}});
  turns_.deliver(instance, std::move(inputs), durable);
}

void OperatorActs::redrive_done(const AttemptDone& done) {
  if (!desk_.forget_redrive(done)) return;
  const auto damage = damage_met_in([&] {  // read before anything is appended
    core_.overlay.find(done.id);
    core_.overlay.find_dead_letter(done.redriven);
  });
  if (damage) return core_.say_damage("the end of a redrive is not recorded, the next open repeats it", damage->what());
  OperatorActBody body;
  body.act = done.outcome.error ? OperatorAct::redrive_failed : OperatorAct::redrive_succeeded;
  body.target = done.redriven;
  body.result = done.outcome.result;
  body.error = done.outcome.error;
  core_.log.append(done.id, std::move(body));
}

bool OperatorActs::resume_redrives(std::size_t limit) {
  if (all_resumed_) return false;
  std::vector<ErrorInfo> damage;
  const auto page = core_.store.snapshot()->dead_letters(resumed_up_to_, limit,
                                                         [&damage](const ErrorInfo& one) { damage.push_back(one); });
  for (const auto& one : damage) core_.say_damage("perhaps a redrive is not taken up again", one.message);
  for (const auto& stored : page) {
    const auto changed = core_.overlay.dead_letters().find(stored.position);  // since, and not written yet
    const auto& letter = changed == core_.overlay.dead_letters().end() ? stored : changed->second;
    if (letter.state == DeadLetterState::redriving) desk_.redrive(letter, letter.lsn);
  }
  all_resumed_ = page.size() < limit;
  if (!page.empty()) resumed_up_to_ = page.back().position;
  return !page.empty();
}

}  // namespace bobbin
