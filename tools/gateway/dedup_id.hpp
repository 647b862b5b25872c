// How dedup ids are made: a letter for the kind, a BLAKE2b hash (16 bytes, hex) over all that identifies the message,
// and for messages without a reference an occurrence number. No text can be read out of them.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace bobbin::gateway {

// 32 hex digits over the fields, each led by its length, so that no two lists of fields run together.
std::string hash_fields(std::initializer_list<std::string_view> fields);

// "p-", "r-" or "c-" and a hash: parts, user_message_reference, ids of HTTP clients.
std::string derived_id(char kind, const std::string& hash);

// "m-<key>-<occurrence>".
std::string occurrence_id(const std::string& key, std::uint64_t occurrence);

// The key within an occurrence id; nothing if it is none.
std::optional<std::string> key_of(std::string_view dedup_id);

}  // namespace bobbin::gateway
