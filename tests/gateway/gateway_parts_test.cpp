#include "tools/gateway/address.hpp"
#include "tools/gateway/http_api.hpp"
#include "tools/gateway/sign.hpp"

#include <doctest/doctest.h>

#include <string>
#include <variant>

namespace bobbin::gateway {
namespace {

TEST_CASE("one party, one spelling") {
  const std::string canonical = "+491710000001";
  CHECK(canonical_address(1, 1, "491710000001") == canonical);
  CHECK(canonical_address(1, 1, "+491710000001") == canonical);
  CHECK(canonical_address(1, 1, "00491710000001") == canonical);
  CHECK(canonical_address(0, 0, "+491710000001") == canonical);
  CHECK(canonical_address(0, 1, "00491710000001") == canonical);
  CHECK(canonical_address(0, 0, "+49 (171) 000-0001") == canonical);
  CHECK(canonical_address(2, 1, "01710000001", "49") == canonical);
  CHECK(canonical_address(2, 1, "1710000001", "49") == canonical);
  CHECK(canonical_address(0, 0, "01710000001", "49") == canonical);
}

TEST_CASE("what is no international number stays what it is") {
  CHECK(canonical_address(5, 0, "Bobbin 24") == "Bobbin 24");
  CHECK(canonical_address(5, 0, "0049") == "0049");
  CHECK(canonical_address(0, 0, "72020") == "72020");
  CHECK(canonical_address(3, 1, "72020", "49") == "72020");
  CHECK(canonical_address(0, 0, "01710000001") == "01710000001");
  CHECK(canonical_address(1, 14, "10.0.0.1") == "10.0.0.1");
  CHECK(canonical_address(0, 0, "Shop") == "Shop");
  CHECK(canonical_address(0, 0, "1+2") == "1+2");
  CHECK(canonical_address(0, 0, "+") == "+");
  CHECK(canonical_address(0, 0, "00") == "00");
  CHECK(canonical_address(0, 0, "0", "49") == "0");
  CHECK(canonical_address(1, 1, "") == "");
}

TEST_CASE("logs show the end of a number only") {
  CHECK(masked("+491710000001") == "***001");
  CHECK(masked("123") == "***");
  CHECK(masked("") == "***");
}

// RFC 4231, test cases 1, 2, 3, 6 and 7.
TEST_CASE("signatures as RFC 4231 has them") {
  CHECK(sign(std::string(20, '\x0b'), "Hi There") ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(sign("Jefe", "what do ya want for nothing?") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(sign(std::string(20, '\xaa'), std::string(50, '\xdd')) ==
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  CHECK(sign(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First") ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  CHECK(sign(std::string(131, '\xaa'),
             "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be "
             "hashed before being used by the HMAC algorithm.") ==
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

TEST_CASE("a signature is good for its key and body only") {
  const std::string signature = sign("key", "body");
  CHECK(verify_signature("key", "body", signature));
  CHECK_FALSE(verify_signature("kez", "body", signature));
  CHECK_FALSE(verify_signature("key", "bodz", signature));
  CHECK_FALSE(verify_signature("key", "body", signature.substr(1)));
  CHECK_FALSE(verify_signature("key", "body", ""));
}

TEST_CASE("bearer tokens") {
  const std::vector<std::string> tokens = {"token-of-the-first", "token-of-the-second"};
  CHECK(find_bearer("Bearer token-of-the-second", tokens) == 1);
  CHECK(find_bearer("bearer token-of-the-first", tokens) == 0);
  CHECK_FALSE(find_bearer("Bearer token-of-the-firs", tokens));
  CHECK_FALSE(find_bearer("Bearer ", tokens));
  CHECK_FALSE(find_bearer("Basic token-of-the-first", tokens));
  CHECK_FALSE(find_bearer("", tokens));
}

SmsRequest good(std::string_view body) {
  const auto parsed = parse_sms_request(body);
  REQUIRE(std::holds_alternative<SmsRequest>(parsed));
  return std::get<SmsRequest>(parsed);
}

Refusal bad(std::string_view body) {
  SmsLimits limits;
  limits.text_bytes_max = 20;
  const auto parsed = parse_sms_request(body, limits);
  REQUIRE(std::holds_alternative<Refusal>(parsed));
  return std::get<Refusal>(parsed);
}

TEST_CASE("a request as it should be") {
  const SmsRequest request = good(R"({"from":"+491","to":"72020","text":"H\u00e4 \ud83d\ude00","message_id":"a-1"})");
  CHECK(request.from == "+491");
  CHECK(request.to == "72020");
  CHECK(request.text == "Hä \U0001F600");
  CHECK(request.message_id == "a-1");
  CHECK_FALSE(good(R"({"from":"1","to":"2","text":"x"})").message_id);
}

TEST_CASE("requests that are refused, each with its reason") {
  const auto refused = [](std::string_view body, const std::string& part, unsigned status = 400) {
    const Refusal refusal = bad(body);
    CHECK_MESSAGE(refusal.reason.find(part) != std::string::npos, refusal.reason);
    CHECK(refusal.http_status == status);
  };
  refused("", "not JSON");
  refused("{", "not JSON");
  refused("{\"from\":\"\xff\"}", "not JSON in UTF-8");
  refused(R"({"from":"\ud800","to":"2","text":"x"})", "not JSON");
  refused("[]", "not a JSON object");
  refused("3", "not a JSON object");
  refused(R"({"from":1e999,"to":"2","text":"x"})", "out of range");
  refused(R"({"to":"2","text":"x"})", "\"from\" is missing");
  refused(R"({"from":"1","text":"x"})", "\"to\" is missing");
  refused(R"({"from":"1","to":"2"})", "\"text\" is missing");
  refused(R"({"from":491,"to":"2","text":"x"})", "\"from\" is not a string");
  refused(R"({"from":"1","to":"2","text":null})", "\"text\" is not a string");
  refused(R"({"from":"1","to":"2","text":"x","message_id":7})", "\"message_id\" is not a string");
  refused(R"({"from":"","to":"2","text":"x"})", "\"from\" has 0 bytes");
  refused(R"({"from":"1\n","to":"2","text":"x"})", "control characters");
  refused(R"({"from":"1","to":"2","text":""})", "empty");
  refused(R"({"from":"1","to":"2","text":"012345678901234567890"})", "at most 20", 413);
  refused(R"({"from":"1","to":"2","text":"x","flash":true})", "other than");
  refused(R"({"from":"1","from":"3","to":"2","text":"x"})", "twice");
  refused(R"({"from":")" + std::string(65, '1') + R"(","to":"2","text":"x"})", "1 to 64");
  refused(std::string(100'000, '['), "not JSON");
}

}  // namespace
}  // namespace bobbin::gateway
