"""Colours and style sheets of what greennb shows as HTML: no script, nothing from elsewhere, light and dark."""

from __future__ import annotations

from greennb.model.reading import DomainKind

COLOURS = {
    DomainKind.GPU: "#3f9b46",
    DomainKind.CPU_PACKAGE: "#2a87dc",
    DomainKind.CPU_CORE: "#2a87dc",
    DomainKind.CPU_UNCORE: "#2a87dc",
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
.gnb-card .gnb-gap{{margin-top:4px}}
.gnb-card .gnb-sw{{flex:none;width:10px;height:10px;border-radius:2px;align-self:center}}
.gnb-card .gnb-fault{{margin:7px 0 0;padding:3px 9px;border-left:3px solid var(--g-warn);background:var(--g-bg2)}}
.gnb-card .gnb-foot{{margin-top:7px;font-size:11.5px;color:var(--g-muted)}}
""".replace("\n", "")

TABLE_RULES = """
.gnb-card .gnb-t{table-layout:auto;width:100%;border-collapse:collapse;margin:0;font-size:inherit;border:0}
.gnb-card .gnb-t tr:nth-child(n){background:none}
.gnb-card .gnb-t :is(th,td){padding:4px 8px;border:0;border-bottom:1px solid var(--g-line);text-align:right;
white-space:nowrap;vertical-align:top;font-weight:400;max-width:none}
.gnb-card .gnb-t thead th{color:var(--g-muted);vertical-align:bottom}
.gnb-card .gnb-t th[scope=row]{color:var(--g-muted)}
.gnb-card .gnb-t :is(th,td):nth-child(2){text-align:left;width:99%;min-width:15em;white-space:normal}
.gnb-card .gnb-t :is(th,td):nth-child(n+6):not(:nth-child(7)){text-align:left}
.gnb-card .gnb-t tfoot :is(th,td):nth-child(n){border:0;font-weight:600;color:var(--g-text)}
.gnb-card .gnb-src code{font:12px/1.45 ui-monospace,"DejaVu Sans Mono",monospace;white-space:pre-wrap;
overflow-wrap:anywhere;unicode-bidi:isolate;background:none;color:inherit;padding:0}
.gnb-card .gnb-heat{display:block;height:3px;margin-top:3px;min-width:1px;border-radius:1px;
background-color:#3f9b46}
""".replace("\n", "")
"""The style of a table of cells, inside a card."""

CARD = f"<style>{palette('.gnb-card')}{_CARD_RULES}</style>"
"""The style of a card, as an element that may stand in every card: all of it is scoped to ``.gnb-card``."""

QUIET = (
    "font:12px/1.5 system-ui,'DejaVu Sans',sans-serif;font-variant-numeric:tabular-nums;"
    f"color:{host_or('muted', '#737a84')}"  # 4.4 to 1 on white, 4.0 to 1 on near-black: no style sheet, no media query
)
"""The inline style of the quiet line."""

REPORT_RULES = """
*{box-sizing:border-box}
body{margin:0;padding:32px 16px;background:var(--g-bg);color:var(--g-text);
font:15px/1.55 system-ui,"DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums}
main{max-width:66em;margin:auto}
h1{font-size:17px;font-weight:600;margin:0;overflow-wrap:anywhere}
h2{font-size:12px;letter-spacing:.06em;text-transform:uppercase;color:var(--g-muted);font-weight:600;margin:34px 0 8px}
p{margin:0 0 8px;max-width:46em}ul{margin:0 0 8px;padding-left:20px;max-width:52em}li{margin:2px 0}
.gnb-m{color:var(--g-muted)}
.gnb-big{font-size:44px;font-weight:300;line-height:1.2;margin:14px 0 0}
.gnb-big small{font-size:22px;color:var(--g-muted)}
.gnb-error{margin:16px 0;padding:8px 14px;border-left:3px solid var(--g-warn);background:var(--g-bg2);max-width:none}
figure{margin:0;overflow-x:auto}figure svg{display:block;width:100%;max-width:54em;height:auto;color:var(--g-muted)}
.gnb-card{max-width:none;padding:0;border:0;overflow-x:auto;margin:0}
.gnb-card .gnb-row{max-width:46em}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 18px;margin:0 0 8px}dt{color:var(--g-muted)}
dd{margin:0;overflow-wrap:anywhere}
@media(max-width:40em){dl{display:block}dd{margin-bottom:6px}.gnb-big{font-size:32px}}
@media print{body,.gnb-card{--g-bg:#fff;--g-bg2:#f6f7f8;--g-line:#ccc;--g-text:#000;--g-muted:#444;--g-warn:#8f5600}
body{padding:0;font-size:11px}
h2{break-after:avoid}figure,tr,.gnb-error{break-inside:avoid}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
""".replace("\n", "")
"""The style of the report's page, beside that of cards and tables."""
