"""Tables for people: Markdown that is also readable as it is."""


def table(heads, rows):
    """A Markdown table; the first column is text, the others are numbers."""
    cells = [list(map(str, heads))] + [list(map(str, row)) for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]

    def line(row):
        parts = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        return "| " + " | ".join(parts) + " |"

    rule = "|" + "|".join(["-" * (widths[0] + 2)] + ["-" * (width + 1) + ":" for width in widths[1:]]) + "|"
    return "\n".join([line(cells[0]), rule] + [line(row) for row in cells[1:]])


def number(value, digits=1):
    """A number, or a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}"


def thousands(value):
    """65800 as 65.8k."""
    return "–" if value is None else f"{value / 1000:.1f}k"
