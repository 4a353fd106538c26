"""Blocks as one HTML file: no script, nothing from elsewhere, fit for an archive and for a printer."""

from __future__ import annotations

import html
from collections.abc import Iterable

from confiture_tui.cli.output.blocks import Block, Facts, Heading, Items, Paragraph, Sql, Table
from confiture_tui.terminal import one_line, safe_text

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; border-top: 1px solid; padding-top: 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8886; }
pre { overflow-x: auto; padding: .8rem; border: 1px solid #8886; }
code { overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; }
dd { margin: 0; overflow-wrap: anywhere; }
"""


def as_html(title: str, blocks: Iterable[Block]) -> str:
    """A whole document; text from anywhere is text in it, never markup."""
    body = "\n".join(_html(block) for block in blocks)
    # With this policy a browser runs and fetches nothing, whatever the document holds.
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _html(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level}>{_text(text)}</h{level}>"
        case Paragraph(text):
            return f"<p>{_text(text)}</p>"
        case Facts(pairs, literal):
            lines = (
                f"<dt>{_text(name)}</dt><dd>{f'<code>{_text(text)}</code>' if name in literal else _text(text)}</dd>"
                for name, text in pairs
            )
            return f"<dl>{''.join(lines)}</dl>"
        case Items(items):
            return f"<ul>{''.join(f'<li>{_text(item)}</li>' for item in items)}</ul>"
        case Table(head, rows):
            written = ["".join(f"<td>{_text(cell)}</td>" for cell in row) for row in rows]
            first = "".join(f"<th>{_text(cell)}</th>" for cell in head)
            return f"<table><tr>{first}</tr>{''.join(f'<tr>{line}</tr>' for line in written)}</table>"
        case Sql(text):
            return f"<pre><code>{html.escape(safe_text(text).rstrip())}</code></pre>"


def _text(text: str) -> str:
    return html.escape(one_line(text))
