"""Writes the manual pages weir(1), from the program's own help, and weir.yaml(5), from docs/configuration.md.

Usage: make_manual.py PROGRAM VERSION FOLDER
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def escaped(text):
    """Escape what roff takes for its own: backslashes, minus signs, and a dot or quote at the beginning of a line."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def inline(text):
    """Turn Markdown within a line into roff: code and bold in bold, links as their text."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text.replace("\\|", "|"))
    parts = re.split(r"(`[^`]*`|\*\*[^*]*\*\*)", text)
    return "".join(
        f"\\fB{escaped(part[1:-1] if part[0] == '`' else part[2:-2])}\\fR"
        if re.fullmatch(r"`[^`]+`|\*\*[^*]+\*\*", part) else escaped(part)
        for part in parts)


def header(name, section, version, title):
    """Return the first lines of a page."""
    return [f'.TH {name} {section} "" "Weir {version}" "{title}"', ".SH NAME"]


def invocation(argument):
    """Return an option or argument as it is typed, in bold and italics."""
    value = f"\\fI{escaped(argument['valueName'])}\\fR"
    if argument["kind"] == "positional":
        return value
    names = [("--" if name["kind"] == "long" else "-") + name["name"] for name in argument["names"]]
    text = ", ".join(f"\\fB{escaped(name)}\\fR" for name in names)
    return text if argument["kind"] == "flag" else f"{text} {value}"


def section_of_commands(command, path, lines):
    """Append the synopsis and options of a command and of those below it."""
    shown = [a for a in command.get("arguments", []) if a.get("shouldDisplay", True)]
    subcommands = [c for c in command.get("subcommands", []) if c["commandName"] != "help"]
    if path:
        synopsis = []
        for argument in shown:
            if argument["preferredName" if "preferredName" in argument else "valueName"] in ("help", "version"):
                continue
            if argument["kind"] != "positional" and argument["names"][-1]["name"] in ("help", "version"):
                continue
            word = invocation(argument)
            synopsis.append(word if not argument["isOptional"] else f"[{word}]")
            if argument["isRepeating"]:
                synopsis[-1] += "..."
        lines += [f".SS \\fBweir {escaped(' '.join(path))}\\fR {' '.join(synopsis)}".rstrip()]
        lines += [inline(command.get("abstract", ""))]
        if command.get("discussion"):
            lines += [".PP", inline(command["discussion"])]
        for argument in shown:
            if argument["kind"] != "positional" and argument["names"][-1]["name"] in ("help", "version"):
                continue
            default = argument.get("defaultValue")
            text = argument.get("abstract", "") + (f" Default: {default}." if default else "")
            lines += [".TP", invocation(argument), inline(text)]
    for subcommand in subcommands:
        section_of_commands(subcommand, path + [subcommand["commandName"]], lines)


def commands_page(program, version):
    """Return weir(1)."""
    help_text = subprocess.run(
        [program, "--experimental-dump-help"], capture_output=True, text=True, check=True).stdout
    command = json.loads(help_text)["command"]
    lines = header("WEIR", 1, version, "User Commands")
    lines += [f"weir \\- {escaped(command['abstract'][0].lower() + command['abstract'][1:].rstrip('.'))}"]
    lines += [".SH SYNOPSIS", ".B weir", "[\\fIcommand\\fR] [\\fIoption\\fR...]", ".SH COMMANDS"]
    section_of_commands(command, [], lines)
    text = (ROOT / "docs/configuration.md").read_text()
    codes = re.search(r"\| exit code \| means \|\n\|[-|]+\|\n((?:\|.*\n)+)", text).group(1)
    lines += [".SH EXIT STATUS"]
    for code, meaning in re.findall(r"^\| (\S+) \| (.*) \|$", codes, re.M):
        lines += [".TP", f"\\fB{code}\\fR", inline(meaning)]
    lines += [
        ".SH FILES", ".TP", ".I /etc/weir/weir.yaml", "The configuration of the service; see",
        ".BR weir.yaml (5).", ".SH SEE ALSO", ".BR weir.yaml (5),", ".BR systemctl (1)"]
    return "\n".join(lines) + "\n"


def configuration_page(version):
    """Return weir.yaml(5)."""
    lines = header("WEIR.YAML", 5, version, "File Formats")
    lines += ["weir.yaml \\- the configuration of weir(1)", ".SH DESCRIPTION"]
    text = (ROOT / "docs/configuration.md").read_text()
    body = text.split("\n", 1)[1]
    # The commands are in weir(1).
    body = re.sub(r"\n## Command line\n.*?(?=\n## |\Z)", "\n", body, flags=re.S)
    for number, part in enumerate(body.split("```")):
        if number % 2:
            code = part.split("\n", 1)[1]
            lines += [".PP", ".RS 4", ".nf", escaped(code.rstrip()), ".fi", ".RE"]
        else:
            lines += prose(part)
    lines += [".SH SEE ALSO", ".BR weir (1)"]
    return "\n".join(lines) + "\n"


def prose(text):
    """Return headings, tables, lists and paragraphs as roff."""
    lines = []
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        if block.startswith("|"):
            for row in block.splitlines():
                cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
                if set("".join(cells)) <= set("-: ") or row == block.splitlines()[0]:
                    continue
                default = f" (default: {inline(cells[1])})" if len(cells) > 2 and cells[1] else ""
                lines += [".TP", inline(cells[0]) + default, inline(" ".join(cells[2:] or cells[1:]))]
        elif match := re.match(r"(##+) (.*)", block):
            macro = ".SH" if match.group(1) == "##" else ".SS"
            lines += [f"{macro} {inline(match.group(2)).upper() if macro == '.SH' else inline(match.group(2))}"]
            rest = block[match.end():].strip("\n")
            if rest:
                lines += prose(rest)
        elif block.lstrip().startswith("- "):
            for item in re.split(r"\n- |^- ", block):
                if item.strip():
                    lines += [".IP \\(bu 2", inline(" ".join(item.split()))]
        elif block.strip():
            lines += [".PP", inline(" ".join(block.split()))]
    return lines


def main():
    program, version, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    (folder / "weir.1").write_text(commands_page(program, version))
    (folder / "weir.yaml.5").write_text(configuration_page(version))


if __name__ == "__main__":
    main()
