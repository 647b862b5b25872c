# A payload of the golden log: a member of each type that JSON can show. Never changed.
@0xc71a5f0e62d3b894;

enum Urgency { normal @0; express @1; overnight @2; }

struct Item {
  article @0 :Text;
  count @1 :UInt32 = 1;
}

struct Parcel {
  number @0 :UInt64;
  shelf @1 :Int8;
  weight @2 :Float64;
  ratio @3 :Float32 = 0.5;
  fragile @4 :Bool = true;
  urgency @5 :Urgency = express;
  label @6 :Text;
  image @7 :Data;
  items @8 :List(Item);
  codes @9 :List(UInt16);
  flags @10 :List(Bool);
  names @11 :List(Text);
  union {
    unknown @12 :Void;
    pickUp @13 :Item;
    street :group {
      name @14 :Text;
      house @15 :UInt32;
    }
  }
  balance @16 :Int64;
  matrix @17 :List(List(Int32));
  urgencies @18 :List(Urgency);
}
