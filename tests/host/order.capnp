@0xbf5147cbbecf40c1;

enum Urgency { normal @0; express @1; }

struct Item {
  article @0 :Text;
  count @1 :UInt32;
}

struct Order {
  number @0 :UInt64;
  urgency @1 :Urgency;
  items @2 :List(Item);
}
