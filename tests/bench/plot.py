# SPDX-License-Identifier: GPL-2.0
"""The cost of a pipe call and of a call that is no IPC, as one SVG without any library; bars on a logarithmic scale."""
import math
from xml.sax.saxutils import escape

BAR, GAP, LEFT, WIDTH = 18, 6, 130, 520
STYLE = ("text{font:12px sans-serif;fill:#222}.t{font-weight:bold}.bare{fill:#9aa5b1}.floor{fill:#c8a24a}"
         ".ours{fill:#2f6db5}.peer{fill:#b5524a}.q{stroke:#222}"
         "@media(prefers-color-scheme:dark){text{fill:#ddd}.q{stroke:#ddd}}")
OURS = ("record", "live_json", "graph")


def css(tracer):
    return tracer if tracer in ("bare", "floor") else "ours" if tracer in OURS else "peer"


def bars(doc, name, top, x_of):
    out = [f'<text class="t" x="4" y="{top + 14}">{escape(name)}: ns per call</text>']
    y = top + 24
    for tracer, ns in doc[name].items():
        low, high = doc["spread"][name][tracer]
        mid = y + BAR / 2
        out.append(f'<text x="{LEFT - 6}" y="{y + 13}" text-anchor="end">{escape(tracer)}</text>'
                   f'<rect class="{css(tracer)}" x="{LEFT}" y="{y}" width="{x_of(ns) - LEFT:.1f}" height="{BAR}"/>'
                   f'<path class="q" d="M{x_of(low):.1f} {mid}H{x_of(high):.1f}"/>'
                   f'<text x="{max(x_of(ns), x_of(high)) + 5:.1f}" y="{y + 13}">{ns:,.0f}</text>')
        y += BAR + GAP
    return out, y


def write(path, doc):
    names = [n for n in ("pipe_call", "getppid") if doc[n]]
    top_ns = max(v for n in names for v in doc[n].values())
    low = math.log10(50)
    scale = WIDTH / max(math.log10(top_ns) - low, 0.1)

    def x_of(ns):
        return LEFT + max(0, math.log10(max(ns, 1)) - low) * scale

    body, y = [], 0
    for name in names:
        part, y = bars(doc, name, y, x_of)
        body += part
    with open(path, "w", encoding="utf-8") as f:
        f.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 80} {y + 10}">'
                f"<style>{STYLE}</style>{''.join(body)}</svg>\n")
