#!/usr/bin/env python3
"""Prints this machine's Debian packages as JSON lines, one package each: those that the apt lists know, with what dpkg
says of the installed ones. For the demonstration: real documents, of real sizes."""
import json
import re
import subprocess
import sys


def stanzas(command):
    """The paragraphs that a command prints in the form of Debian's control files."""
    fields, name = {}, None
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace")
    for line in process.stdout:
        line = line.rstrip("\n")
        if not line:
            if fields:
                yield fields
            fields, name = {}, None
        elif line[0] in " \t":
            if name:
                fields[name] += "\n" + line.strip()
        else:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
    if fields:
        yield fields
    if process.wait() != 0:
        sys.exit(f"{command[0]} failed")


def document(fields):
    """A package as a JSON document."""
    out = {}
    for field, name in (("Version", "version"), ("Architecture", "architecture"), ("Section", "section"),
                        ("Maintainer", "maintainer"), ("Homepage", "homepage"), ("Description", "description")):
        if fields.get(field):
            out[name] = fields[field]
    for field, name in (("Installed-Size", "installed_kib"), ("Size", "bytes")):
        if fields.get(field, "").isdigit():
            out[name] = int(fields[field])
    depends = [re.split(r"[ (:|]", d.strip())[0] for d in fields.get("Depends", "").split(",") if d.strip()]
    if depends:
        out["depends"] = depends
    if "installed" in fields.get("Status", "").split():
        out["installed"] = True
    return out


def main():
    packages = {}
    for fields in stanzas(["apt-cache", "dumpavail"]):
        if "Package" in fields:
            packages[fields["Package"]] = document(fields)
    for fields in stanzas(["dpkg-query", "--status"]):
        if "Package" in fields:
            packages.setdefault(fields["Package"], {}).update(document(fields))
    for name in sorted(packages):
        print(json.dumps({"key": "package/" + name, "value": packages[name]}, ensure_ascii=False))


main()
