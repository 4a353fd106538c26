"""Text that a careless screen would obey instead of showing."""

from __future__ import annotations

SAMPLES = [
    "a[b] c[1:2]",
    "x [red]y[/red]",
    "select '[/foo]'",
    "[@click=app.quit]q[/]",
    "[/",
    "x [/foo",
    "\x1b]0;retitled\x07",
    "\x1b[2J\x1b[H",
    "\x9b2J",
    "\x1b]52;c;aGFjaw==\x07",
    "abc\u202edef\u202c",
    "a\u2066b\u2069c\u200e\u200f\u061c",
    "line one\nline two\ttabbed",
    "nul\x00 bell\x07 back\x08 del\x7f",
    "lone \ud800 surrogate",
    "separators \u2028 \u2029 \x85 \x0b \x0c",
    "日本語の表 🍓 e\u0301",
]

FORBIDDEN = {
    *(chr(code) for code in range(0x20)),
    *(chr(code) for code in range(0x7F, 0xA0)),
    *"\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff",
    *(chr(code) for code in range(0xD800, 0xE000)),
}
"""What must never reach a terminal. Line feeds are between lines, not in them."""
