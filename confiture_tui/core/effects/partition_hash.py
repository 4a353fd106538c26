"""The partition that a whole number goes to, of a table that is partitioned by hash.

Source: ``hash_bytes_uint32_extended`` (src/common/hashfn.c), ``hashint8extended`` (src/backend/access/hash/hashfunc.c),
``compute_partition_hash_value`` and HASH_PARTITION_SEED (src/backend/partitioning/partbounds.c); the same in 14 to 18.
"""

from __future__ import annotations

_32 = 0xFFFFFFFF
_64 = 0xFFFFFFFFFFFFFFFF
_SEED = 0x7A5B22367996DCFD
_START = (0x9E3779B9 + 4 + 3923095) & _32


def row_hash(value: int, type_name: str) -> int:
    """What the row of a key of one column is hashed to: it goes where this, modulo the modulus, is the remainder."""
    low = value & _32
    if type_name == "bigint":
        high = (value >> 32) & _32
        low ^= high if value >= 0 else high ^ _32
    return (_hash(low) + 0x49A0F4DD15E5A8E3) & _64


def _rotated(word: int, by: int) -> int:
    return ((word << by) | (word >> (32 - by))) & _32


def _hash(word: int) -> int:
    a = (_START + (_SEED >> 32)) & _32
    b = (_START + (_SEED & _32)) & _32
    c = _START
    for first, second, third in ((4, 6, 8), (16, 19, 4)):
        a = ((a - c) & _32) ^ _rotated(c, first)
        c = (c + b) & _32
        b = ((b - a) & _32) ^ _rotated(a, second)
        a = (a + c) & _32
        c = ((c - b) & _32) ^ _rotated(b, third)
        b = (b + a) & _32
    a = (a + word) & _32
    c = ((c ^ b) - _rotated(b, 14)) & _32
    a = ((a ^ c) - _rotated(c, 11)) & _32
    b = ((b ^ a) - _rotated(a, 25)) & _32
    c = ((c ^ b) - _rotated(b, 16)) & _32
    a = ((a ^ c) - _rotated(c, 4)) & _32
    b = ((b ^ a) - _rotated(a, 14)) & _32
    c = ((c ^ b) - _rotated(b, 24)) & _32
    return (b << 32) | c
