"""What was measured: tables in Markdown on the terminal, everything as JSON in a file."""

import json
import sys


class Report:
    def __init__(self, about):
        self.about = about
        self.tables = []
        self.gates = []
        self.notes = []

    def table(self, title, head, rows):
        self.tables.append({"title": title, "head": head, "rows": rows})
        print(f"\n### {title}\n")
        print(markdown(head, rows), flush=True)

    def gate(self, what, value, at_most, goal=None, low=None, high=None, unit="", at_least=False):
        """A number the project must reach. It falls short only where the whole interval does."""
        best = (high if at_least else low) if low is not None else value
        reached = best >= at_most if at_least else best <= at_most
        self.gates.append({"what": what, "value": value, "low": low, "high": high, "limit": at_most, "goal": goal, "unit": unit,
                           "at_least": at_least, "reached": reached})

    def note(self, text):
        self.notes.append(text)
        print(f"\n{text}", flush=True)

    def close(self, path):
        rows = []
        for gate in self.gates:
            sign = "≥" if gate["at_least"] else "≤"
            goal = "" if gate["goal"] is None else f"{figure(gate['goal'])}"
            interval = "" if gate["low"] is None else f"{figure(gate['low'])} … {figure(gate['high'])}"
            rows.append([gate["what"], f"{figure(gate['value'])}{gate['unit']}", interval, f"{sign} {figure(gate['limit'])}{gate['unit']}", goal,
                         "yes" if gate["reached"] else "**no**"])
        if rows:
            self.table("What it must reach", ["", "measured", "interval", "must", "goal", "reached"], rows)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"about": self.about, "gates": self.gates, "tables": self.tables, "notes": self.notes}, indent=1) + "\n")
        print(f"\nAll of it as JSON: {path}")


def progress(text):
    """A line that the next one replaces, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def markdown(head, rows):
    progress("")
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(line[column]) for line in [head, *rows]) for column in range(len(head))]
    lines = ["| " + " | ".join(cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in enumerate(zip(line, widths))) + " |"
             for line in [head, *rows]]
    lines.insert(1, "|" + "|".join("-" * (width + 2) if column == 0 else "-" * (width + 1) + ":" for column, width in enumerate(widths)) + "|")
    return "\n".join(lines)


def figure(value):
    """Three digits that matter; whole numbers as they are."""
    if value is None:
        return ""
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:.3f}"


def with_interval(summary):
    return f"{figure(summary['median'])} ({figure(summary['low'])} … {figure(summary['high'])})"
