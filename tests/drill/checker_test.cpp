// The checker sees each way in which a promise can be broken, and nothing where none is.
#include "tools/drill/checker.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace bobbin::drill {

namespace {

using std::chrono::milliseconds;

LogTime at_ms(std::int64_t ms) { return LogTime(Duration(milliseconds(ms))); }

struct Member {
  std::string text;
  std::int64_t accepted_ms;
  std::string id;
};

// Two journals of one conversation; the window is 500 ms long.
struct Journals {
  SentMessages sent;
  ReceivedBatches batches;

  SentMessage& message(const std::string& text, std::int64_t sent_ms, std::int64_t acknowledged_ms,
                       const std::string& id) {
    SentMessage message;
    message.from = "+491";
    message.to = "+492";
    message.text = text;
    message.first_sent = at_ms(sent_ms);
    message.sends = 1;
    message.acknowledged = at_ms(acknowledged_ms);
    message.answered = true;
    message.message_id = id;
    return sent.emplace_back(message);
  }

  void batch(const std::string& key, std::int64_t opened_ms, const std::vector<Member>& members,
             const std::string& closed_by = "time", std::int64_t length_ms = 500) {
    nlohmann::ordered_json body{{"from", "+491"},
                                {"to", "+492"},
                                {"opened_at_us", opened_ms * 1000},
                                {"closed_at_us", (opened_ms + length_ms) * 1000},
                                {"closed_by", closed_by}};
    auto& messages = body["messages"] = nlohmann::ordered_json::array();
    for (const auto& member : members)
      messages.push_back({{"id", member.id}, {"accepted_at_us", member.accepted_ms * 1000}, {"text", member.text}});
    batches.push_back({key, body.dump(), {}});
  }

  Verdict verdict() const {
    return check(sent, batches, {.window_length = milliseconds(500), .messages_max = 3, .tolerance = milliseconds(5)});
  }
};

// Messages a and b in the window from 1000 to 1500, c in that from 1600 to 2100.
Journals kept() {
  Journals journals;
  journals.message("a", 990, 1010, "1.0");
  journals.message("b", 1190, 1210, "2.0");
  journals.message("c", 1590, 1610, "3.0");
  journals.batch("k1", 1000, {{"a", 1000, "1.0"}, {"b", 1200, "2.0"}});
  journals.batch("k2", 1600, {{"c", 1600, "3.0"}});
  return journals;
}

}  // namespace

TEST_CASE("checker: kept promises") {
  const auto verdict = kept().verdict();
  CHECK(verdict.kept());
  CHECK(verdict.broken.empty());
  CHECK(verdict.accepted == 3);
  CHECK(verdict.delivered == 3);
}

TEST_CASE("checker: a message that was never acknowledged may be delivered or not") {
  auto journals = kept();
  journals.sent[1].answered = false;
  CHECK(journals.verdict().kept());
  CHECK(journals.verdict().accepted == 2);
  journals.message("d", 1300, 1310, "4.0").answered = false;
  CHECK(journals.verdict().kept());
}

TEST_CASE("checker: an acknowledged message in no batch is lost") {
  auto journals = kept();
  journals.message("d", 1300, 1310, "4.0");
  const auto verdict = journals.verdict();
  CHECK(verdict.lost == 1);
  CHECK(verdict.doubled == 0);
  CHECK(verdict.split == 0);
  CHECK(verdict.broken.front().what.find("\"d\"") != std::string::npos);
}

TEST_CASE("checker: a message under two keys, or twice in one batch, is doubled") {
  auto journals = kept();
  SUBCASE("two batches") { journals.batch("k3", 2200, {{"c", 2200, "3.0"}}); }
  SUBCASE("one batch") {
    journals.batches.pop_back();
    journals.batch("k2", 1600, {{"c", 1600, "3.0"}, {"c", 1600, "3.0"}});
  }
  SUBCASE("acknowledged under two ids") { journals.sent[0].differing_ids.emplace_back("7.0"); }
  CHECK(journals.verdict().doubled == 1);
}

TEST_CASE("checker: a batch that is not its window is split") {
  auto journals = kept();
  auto& batches = journals.batches;
  SUBCASE("a message of the window is in the next one") {
    batches.clear();
    journals.batch("k1", 1000, {{"a", 1000, "1.0"}});
    journals.batch("k2", 1600, {{"b", 1600, "2.0"}, {"c", 1600, "3.0"}});
  }
  SUBCASE("accepted after its end") {
    batches.pop_back();
    journals.batch("k2", 1600, {{"c", 1600, "3.0"}, {"d", 2100, "4.0"}});
    journals.message("d", 2090, 2110, "4.0");
  }
  SUBCASE("sent after the acceptance that the batch claims") { journals.sent[1].first_sent = at_ms(1206); }
  SUBCASE("acknowledged before it") { journals.sent[1].acknowledged = at_ms(1194); }
  SUBCASE("another id than was acknowledged") { journals.sent[1].message_id = "9.0"; }
  SUBCASE("another conversation") { journals.sent[1].from = "+499"; }
  SUBCASE("nobody sent it") { journals.sent.pop_back(); }
  SUBCASE("a repetition with other bytes") { batches[0].body_changed = true; }
  SUBCASE("unreadable") { batches.push_back({"k3", "{", {}}); }
  SUBCASE("opens before its first message") {
    batches.pop_back();
    journals.batch("k2", 1580, {{"c", 1600, "3.0"}});
  }
  SUBCASE("out of order") {
    batches.erase(batches.begin());
    journals.batch("k1", 1000, {{"a", 1000, "1.0"}, {"b", 1200, "2.0"}});
  }
  CHECK(journals.verdict().split >= 1);
  CHECK(journals.verdict().lost == 0);
}

TEST_CASE("checker: how a window may close") {
  auto journals = kept();
  journals.batches.pop_back();
  bool right = false;
  SUBCASE("by time, too early") { journals.batch("k2", 1600, {{"c", 1600, "3.0"}}, "time", 400); }
  SUBCASE("by count, with too few") { journals.batch("k2", 1600, {{"c", 1600, "3.0"}}, "count", 0); }
  SUBCASE("by count, full") {
    right = true;
    journals.message("d", 1690, 1710, "4.0");
    journals.message("e", 1790, 1810, "5.0");
    journals.batch("k2", 1600, {{"c", 1600, "3.0"}, {"d", 1700, "4.0"}, {"e", 1800, "5.0"}}, "count", 200);
  }
  SUBCASE("while the one before is open") {
    journals.sent[2].first_sent = at_ms(1480);
    journals.batch("k2", 1490, {{"c", 1490, "3.0"}});
  }
  CHECK((journals.verdict().split == 0) == right);
}

}  // namespace bobbin::drill
