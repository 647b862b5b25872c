#include "tools/inspect/payload_json.hpp"
#include "tools/inspect/time_text.hpp"

#include <bobbin/error.hpp>
#include <bobbin/wire_format.hpp>

#include <sstream>

namespace bobbin::inspect {

namespace {

struct TableField {
  std::string name;
  std::string type;  // without "list"
  bool list = false;
};
using Table = std::map<std::uint32_t, TableField>;
using Tables = std::map<std::string, Table>;

// Far beyond what a host nests, far below what the stack bears.
constexpr int depth_max = 64;

// "struct NAME", then "NUMBER FIELD [list] TYPE" lines.
Tables parse_tables(const std::string& text) {
  Tables tables;
  Table* table = nullptr;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    TableField field;
    if (line.starts_with("struct ")) {
      table = &tables[line.substr(7)];
      continue;
    }
    std::uint32_t number = 0;
    if (!table || !(words >> number >> field.name >> field.type))
      throw InvalidArgument("its field table has a line that is none: " + line);
    if (field.type == "list") {
      field.list = true;
      words >> field.type;
    }
    if (!is_printable_utf8(field.name)) throw InvalidArgument("its field table has a name that is not UTF-8");
    (*table)[number] = field;
  }
  return tables;
}

class FieldsReader {
 public:
  explicit FieldsReader(const Tables& tables) : tables_(tables) {}

  Json read(const std::string& type, std::string_view bytes) {
    const auto table = tables_.find(type);
    if (table == tables_.end()) throw InvalidArgument("its field table lacks struct " + type);
    if (depth_ == depth_max) throw InvalidArgument("its structs are nested too deep to be shown");
    ++depth_;
    Json json = Json::object();
    wire::Reader reader(bytes);
    while (reader.next()) {
      const auto field = table->second.find(reader.number());
      if (field == table->second.end()) {
        reader.skip();
        continue;
      }
      auto value = read_value(reader, field->second.type);
      auto& member = json[field->second.name];
      if (!field->second.list)
        member = std::move(value);
      else if (member.is_null() || member.is_array())
        member.push_back(std::move(value));
      else
        throw InvalidArgument("its field table names " + field->second.name + " twice");
    }
    --depth_;
    return json;
  }

 private:
  Json read_value(wire::Reader& reader, const std::string& type) {
    if (type == "string") return text(reader.bytes());
    if (type == "double") return std::bit_cast<double>(reader.fixed64());
    if (type == "bool") return reader.varint() != 0;
    if (type == "int") return wire::unzigzag(reader.varint());
    if (type == "uint") return reader.varint();
    if (type == "time_us") return time_text(LogTime(Duration(wire::unzigzag(reader.varint()))));
    if (type == "duration_us") return wire::unzigzag(reader.varint());
    return read(type, reader.bytes());
  }

  static Json text(std::string_view bytes) {
    return is_printable_utf8(bytes) ? Json(bytes) : Json{{"hex", hex(bytes)}};
  }

  const Tables& tables_;
  int depth_ = 0;
};

}  // namespace

Json fields_json(const Schema& schema, const std::string& bytes) {
  const auto tables = parse_tables(schema.text);
  return FieldsReader(tables).read(schema.name, bytes);
}

}  // namespace bobbin::inspect
