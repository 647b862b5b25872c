"""Cap'n Proto's encoding, read by hand: https://capnproto.org/encoding.html. No schema tooling: callers name places."""

import struct

LIST_BITS = {0: 0, 1: 1, 2: 8, 3: 16, 4: 32, 5: 64, 6: 64}
SCALARS = {
    "u8": "<B", "i8": "<b", "u16": "<H", "i16": "<h", "u32": "<I", "i32": "<i", "u64": "<Q", "i64": "<q",
    "f32": "<f", "f64": "<d",
}
DEPTH_MAX = 64


class Damaged(Exception):
    """Bytes that are not what was written."""


def signed(value, bits):
    return value - (1 << bits) if value >> (bits - 1) else value


def scalar(data, kind, bit, default=b""):
    """A member that is not there in these bytes (they are of an older version) is its default."""
    if kind == "bool":
        stored = data[bit // 8] >> bit % 8 & 1 if bit // 8 < len(data) else 0
        return bool(stored ^ bool(default))
    code = SCALARS[kind]
    size = struct.calcsize(code)
    stored = data[bit // 8 : bit // 8 + size]
    if len(stored) < size:
        stored = bytes(size)
    if default:
        stored = bytes(one ^ other for one, other in zip(stored, struct.pack(code, default)))
    return struct.unpack(code, stored)[0]


class Struct:
    """The data section as bytes, and where the pointers stand."""

    def __init__(self, message, segment, data, pointers, pointer_count, depth):
        self.message, self.segment, self.depth = message, segment, depth
        self.data, self.pointers, self.pointer_count = data, pointers, pointer_count

    def scalar(self, kind, bit, default=b""):
        return scalar(self.data, kind, bit, default)

    def pointer(self, index):
        """Struct, List or None. A pointer that is not there is null."""
        if index >= self.pointer_count:
            return None
        return self.message.follow(self.segment, self.pointers + index, self.depth + 1)

    def bytes(self, index):
        found = self.pointer(index)
        return None if found is None else found.as_bytes()


class List:
    def __init__(self, message, segment, size, count, start, words, depth):
        self.message, self.segment, self.depth = message, segment, depth
        self.size, self.count, self.start, self.words = size, count, start, words  # words: of each struct's sections

    def _raw(self):
        return self.message.segments[self.segment][self.start * 8 :]

    def as_bytes(self):
        if self.size != 2:
            raise Damaged("a list is not one of bytes")
        return bytes(self._raw()[: self.count])

    def structs(self):
        if self.count and self.size != 7:
            raise Damaged("a list is not one of structs")
        for index in range(self.count):
            data, pointers = self.words
            at = self.start + index * (data + pointers)
            raw = self.message.segments[self.segment][at * 8 : (at + data) * 8]
            yield Struct(self.message, self.segment, raw, at + data, pointers, self.depth)

    def pointers(self):
        if self.count and self.size != 6:
            raise Damaged("a list is not one of pointers")
        for index in range(self.count):
            yield self.message.follow(self.segment, self.start + index, self.depth + 1)

    def scalars(self, kind):
        bits = 1 if kind == "bool" else 8 * struct.calcsize(SCALARS[kind])
        if self.count and LIST_BITS.get(self.size) != bits:
            raise Damaged("a list's members are of another size")
        raw = self._raw()
        return [scalar(raw, kind, index * bits) for index in range(self.count)]


class Message:
    def __init__(self, segments):
        self.segments = [bytes(segment) for segment in segments]
        if any(len(segment) % 8 for segment in self.segments):
            raise Damaged("a segment is no whole number of words")

    @classmethod
    def with_table(cls, raw):
        """As Cap'n Proto writes it to a stream: count of segments less 1, their sizes in words, padding, segments."""
        if len(raw) < 8:
            raise Damaged("a message is shorter than its segment table")
        count = struct.unpack_from("<I", raw)[0] + 1
        at = (4 + 4 * count + 7) // 8 * 8
        if at > len(raw):
            raise Damaged("a message is shorter than its segment table")
        segments = []
        for size in struct.unpack_from(f"<{count}I", raw, 4):
            segments.append(raw[at : at + 8 * size])
            at += 8 * size
        if at > len(raw):
            raise Damaged("a message is shorter than its segments")
        return cls(segments)

    def root(self):
        found = self.follow(0, 0, 0)
        if not isinstance(found, Struct):
            raise Damaged("the root of a message is no struct")
        return found

    def word(self, segment, index):
        if segment >= len(self.segments) or not 0 <= index < len(self.segments[segment]) // 8:
            raise Damaged("a pointer leads out of the message")
        return struct.unpack_from("<Q", self.segments[segment], index * 8)[0]

    def check(self, segment, start, words):
        if segment >= len(self.segments) or start < 0 or (start + words) * 8 > len(self.segments[segment]):
            raise Damaged("a pointer leads out of the message")

    def follow(self, segment, index, depth):
        if depth > DEPTH_MAX:
            raise Damaged("a message is too deep")
        word = self.word(segment, index)
        if word == 0:
            return None
        if word & 3 == 2:  # far: the pointer proper stands in another segment
            segment, pad = word >> 32, word >> 3 & 0x1FFFFFFF
            if not word & 4:
                return self.follow_near(segment, self.word(segment, pad), pad + 1, depth)
            far, tag = self.word(segment, pad), self.word(segment, pad + 1)
            return self.follow_near(far >> 32, tag, far >> 3 & 0x1FFFFFFF, depth, True)
        return self.follow_near(segment, word, index + 1, depth)

    def follow_near(self, segment, word, base, depth, landed=False):
        start = base if landed else base + signed(word >> 2 & 0x3FFFFFFF, 30)
        if word & 3 == 0:
            data, pointers = word >> 32 & 0xFFFF, word >> 48
            self.check(segment, start, data + pointers)
            raw = self.segments[segment][start * 8 : (start + data) * 8]
            return Struct(self, segment, raw, start + data, pointers, depth)
        if word & 3 != 1:
            raise Damaged("a pointer of an unknown kind")
        size, count = word >> 32 & 7, word >> 35
        if size != 7:
            self.check(segment, start, (count * LIST_BITS[size] + 63) // 64)
            return List(self, segment, size, count, start, None, depth)
        tag = self.word(segment, start)  # a struct pointer whose offset is the number of elements
        count_of, words = tag >> 2 & 0x3FFFFFFF, (tag >> 32 & 0xFFFF, tag >> 48)
        if tag & 3 != 0 or count_of * sum(words) > count:
            raise Damaged("a list of structs whose tag does not fit it")
        self.check(segment, start + 1, count)
        return List(self, segment, size, count_of, start + 1, words, depth)
