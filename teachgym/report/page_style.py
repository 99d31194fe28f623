"""The look of a report's page: one column, and two on a wide first screen; light or dark as the reader's system is.

It is fit for print and for a phone.
"""

CSS = """\
:root { color-scheme: light dark; --page: #ffffff; --ink: #1b1f24; --muted: #57606a; --grid: #e4e4e4; --line: #d0d7de;
  --soft: #f4f6f8; --link: #0550ae; --lead: #fff4d6; --warn: #9a6700; }
@media (prefers-color-scheme: dark) { :root { --page: #12161c; --ink: #e6e9ee; --muted: #a3adba; --grid: #2d343d;
  --line: #3b444f; --soft: #1a2028; --link: #7cb7ff; --lead: #3a3216; --warn: #e3b341; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem 1.25rem 4rem; background: var(--page); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--link);
  outline-offset: 2px; }
.skip { position: absolute; left: -999px; }
.skip:focus { left: 1rem; top: 0.5rem; background: var(--page); padding: 0.3rem 0.6rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0.6rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin: 2.4rem 0 0.6rem; border-bottom: 1px solid var(--line); padding-bottom: 0.25rem;
  overflow-wrap: anywhere; }
h3 { font-size: 1.08rem; margin: 1.8rem 0 0.4rem; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.2rem 1.1rem; list-style: none; padding: 0; margin: 0.5rem 0; }
.first { display: grid; gap: 0 1.5rem; margin: 1rem 0; }
.first > * { min-width: 0; }
.first figure { margin: 0; }
@media (max-width: 43rem) { .first svg { max-width: 100%; } }
@media (min-width: 72rem) { .first { grid-template-columns: minmax(0, 1fr) auto; } }
.finding { font-size: 1.3rem; line-height: 1.45; background: var(--soft); border-left: 4px solid var(--link);
  padding: 0.7rem 1rem; margin: 0 0 0.8rem; }
.cautions { border-left: 4px solid var(--warn); background: var(--soft); padding: 0.5rem 1rem 0.5rem 2rem; }
.cautions li { margin: 0.3rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.94rem; font-variant-numeric: tabular-nums; }
.note { color: var(--muted); margin: 1rem 0 0.3rem; font-size: 0.9rem; }
th, td { padding: 0.4rem 0.7rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal; min-width: 9rem; overflow-wrap: anywhere; }
thead th { vertical-align: bottom; white-space: normal; border-bottom: 2px solid var(--line); }
tr.lead { background: var(--lead); font-weight: 600; }
table.text th, table.text td { text-align: left; white-space: normal; overflow-wrap: anywhere; vertical-align: top; }
figure { margin: 1rem 0 1.6rem; }
figure svg { height: auto; display: block; }
figure svg text { fill: currentColor; font-family: inherit !important; }
figure.paper .scroll { background: #ffffff; color: #1b1f24; --muted: #57606a; --grid: #e4e4e4; --page: #ffffff;
  border-radius: 4px; }
figcaption { color: var(--muted); font-size: 0.9rem; }
details { margin: 0.6rem 0; }
summary { cursor: pointer; }
pre { background: var(--soft); border: 1px solid var(--line); padding: 0.7rem 0.9rem; overflow-x: auto;
  font-size: 0.86rem; }
code { overflow-wrap: anywhere; }
footer { margin-top: 3rem; color: var(--muted); font-size: 0.9rem; }
@media print { .skip, nav { display: none; } body { max-width: none; } figure { break-inside: avoid; }
  figure svg { max-width: 100%; } }
"""
