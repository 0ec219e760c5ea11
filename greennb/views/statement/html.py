"""An energy statement as one HTML file that needs nothing else, and no network, to be read and printed."""

from __future__ import annotations

from html import escape

from greennb.model.statement import Statement
from greennb.views.format import plain
from greennb.views.statement.paragraph import paragraph
from greennb.views.statement.sections import Section, sections
from greennb.views.style import REPORT_RULES, palette

_RULES = """
main{max-width:54em}
h1{font-size:24px;margin:0 0 14px}
h2{margin:22px 0 6px}
dl{grid-template-columns:minmax(10em,17em) 1fr}
.gnb-say{max-width:none;font-size:16px;padding:10px 16px;border-left:3px solid var(--g-line);background:var(--g-bg2)}
@page{margin:14mm 16mm}
@media print{body{font-size:10.5px;line-height:1.4}h1{font-size:16px;margin-bottom:6px}h2{margin:8px 0 2px}
.gnb-say{font-size:11.5px;margin:0;padding:6px 12px}dl{gap:0 14px}p,ul,dl{margin-bottom:2px}li{margin:0}
section{break-inside:avoid}}
"""
"""The style of the page beside the report's; printed it is one page where there are no dozens of devices or trials."""


def html(statement: Statement) -> str:
    """The whole page."""
    title = _text(plain(statement.title, 200))
    style = f"<style>{palette('body')}{REPORT_RULES}{_RULES}</style>".replace("\n", "")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{title}</title>\n{style}</head>\n<body><main>\n{body(statement)}</main></body></html>\n"
    )


def body(statement: Statement) -> str:
    """What stands on the page."""
    head = f"<header><h1><bdi>{_text(plain(statement.title, 200))}</bdi></h1></header>\n"
    said = f'<p class="gnb-say"><bdi>{_text(paragraph(statement))}</bdi></p>\n'
    return head + said + "".join(map(_section, sections(statement)))


def _section(section: Section) -> str:
    rows = "".join(
        f"<dt><bdi>{_text(name)}</bdi></dt><dd><bdi>{_text(words)}</bdi></dd>" for name, words in section.rows
    )
    told = "".join(f"<li><bdi>{_text(sentence)}</bdi></li>" for sentence in section.sentences)
    return (
        f"<section><h2>{section.heading}</h2>\n{f'<dl>{rows}</dl>' if rows else ''}"
        f"{f'<ul>{told}</ul>' if told else ''}</section>\n"
    )


def _text(words: str) -> str:
    return escape(words.replace("CO2e", "CO₂e"))
