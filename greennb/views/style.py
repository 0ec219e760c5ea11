"""Colours and style sheets of what greennb shows as HTML: no script, nothing from elsewhere, light and dark."""

from __future__ import annotations

from greennb.model.reading import DomainKind

COLOURS = {
    DomainKind.GPU: "#3f9b46",
    DomainKind.CPU_PACKAGE: "#2a87dc",
    DomainKind.CPU_CORE: "#2a87dc",
    DomainKind.DRAM: "#9273c6",
    DomainKind.PSYS: "#c27c0e",
    DomainKind.BATTERY: "#c27c0e",
    DomainKind.SOC: "#1f9c93",
}
"""One colour a kind of domain, with a contrast of at least 3 to 1 on white and on near-black (WCAG 2.2, 1.4.11)."""

# A host page says what its colours are (JupyterLab, VS Code); where none does, the reader's system decides.
_LIGHT = {"bg": "#fff", "bg2": "#f6f7f8", "line": "#dfe2e6", "text": "#1c1f23", "muted": "#5f6670", "warn": "#8f5600"}
_DARK = {"bg": "#1f2226", "bg2": "#272b30", "line": "#3d434a", "text": "#e6e8eb", "muted": "#a3abb5", "warn": "#ffb74d"}
_HOST = {
    "bg": ("--jp-layout-color0", "--vscode-editor-background"),
    "bg2": ("--jp-layout-color2", "--vscode-editorWidget-background"),
    "line": ("--jp-border-color2", "--vscode-panel-border"),
    "text": ("--jp-ui-font-color1", "--vscode-foreground"),
    "muted": ("--jp-ui-font-color2", "--vscode-descriptionForeground"),
    "warn": ("--jp-warn-color-normal", "--vscode-editorWarning-foreground"),
}


def host_or(name: str, fallback: str) -> str:
    """The host page's colour for ``name``, else ``fallback``, as CSS."""
    jupyter, vscode = _HOST[name]
    return f"var({jupyter},var({vscode},{fallback}))"


def _palette(fallbacks: dict[str, str]) -> str:
    return ";".join(f"--g-{name}:{host_or(name, fallback)}" for name, fallback in fallbacks.items())


def palette(selector: str) -> str:
    """CSS that gives ``selector`` the variables ``--g-bg``, ``--g-text`` and so on."""
    return (
        f"{selector}{{{_palette(_LIGHT)};color-scheme:light dark}}"
        f"@media(prefers-color-scheme:dark){{{selector}{{{_palette(_DARK)}}}}}"
    )


HATCH = "repeating-linear-gradient(135deg,transparent 0 3px,var(--g-bg) 3px 4.5px)"
"""Stripes over an estimated bar."""

_CARD_RULES = f"""
.gnb-card{{box-sizing:border-box;max-width:44em;margin:6px 0;padding:10px 14px;border:1px solid var(--g-line);
border-radius:4px;background:var(--g-bg);color:var(--g-text);font:13px/1.5 system-ui,"DejaVu Sans",sans-serif;
font-variant-numeric:tabular-nums;overflow-wrap:anywhere}}
.gnb-card .gnb-m{{color:var(--g-muted)}}
.gnb-card .gnb-head{{display:flex;flex-wrap:wrap;gap:0 8px;align-items:baseline}}
.gnb-card .gnb-total{{font-size:21px;white-space:nowrap}}
.gnb-card .gnb-badge{{font-size:11px;padding:0 7px;border:1px solid var(--g-line);border-radius:9px}}
.gnb-card .gnb-badge.gnb-estimated{{border-style:dashed;border-color:var(--g-muted)}}
.gnb-card .gnb-badge.gnb-bad{{border-color:var(--g-warn);color:var(--g-warn)}}
.gnb-card .gnb-label{{margin-left:auto;font-weight:600;max-width:20em;overflow:hidden;text-overflow:ellipsis;
white-space:nowrap}}
.gnb-card .gnb-bar{{display:flex;height:9px;margin:8px 0 0;background:var(--g-bg2);border-radius:2px;overflow:hidden}}
.gnb-card .gnb-est{{background-image:{HATCH}}}
.gnb-card .gnb-ci{{position:relative;height:5px;margin-bottom:4px}}
.gnb-card .gnb-ci i{{position:absolute;top:2px;height:3px;border:1px solid var(--g-muted);border-top:0;
box-sizing:border-box;min-width:2px}}
.gnb-card .gnb-row{{display:flex;gap:8px;align-items:baseline}}
.gnb-card .gnb-row>:nth-child(2){{flex:1;min-width:0}}
.gnb-card .gnb-row>:last-child{{white-space:nowrap}}
.gnb-card .gnb-in{{padding-left:18px}}
.gnb-card .gnb-sw{{flex:none;width:10px;height:10px;border-radius:2px;align-self:center}}
.gnb-card .gnb-fault{{margin:7px 0 0;padding:3px 9px;border-left:3px solid var(--g-warn);background:var(--g-bg2)}}
.gnb-card .gnb-foot{{margin-top:7px;font-size:11.5px;color:var(--g-muted)}}
""".replace("\n", "")

CARD = f"<style>{palette('.gnb-card')}{_CARD_RULES}</style>"
"""The style of a card, as an element that may stand in every card: all of it is scoped to ``.gnb-card``."""

QUIET = (
    "font:12px/1.5 system-ui,'DejaVu Sans',sans-serif;font-variant-numeric:tabular-nums;"
    f"color:{host_or('muted', '#737a84')}"  # 4.4 to 1 on white, 4.0 to 1 on near-black: no style sheet, no media query
)
"""The inline style of the quiet line."""
