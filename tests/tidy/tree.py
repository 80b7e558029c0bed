"""The files of the source tree as the rules see them: relative path -> text.

Rules never touch the disk, so that their own tests can plant a tree in a dictionary.
"""

import os
import subprocess

# Not ours to judge: kept byte for byte as another program wrote it.
FOREIGN = ("tests/data/",)


def listed_by_git(root):
    """Files that are tracked, or new and not ignored; None where git has nothing to say."""
    try:
        answer = subprocess.run(
            ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    paths = answer.stdout.decode("utf-8", "surrogateescape").split("\0")
    return [path for path in paths if path and os.path.isfile(os.path.join(root, path))]


def walked(root):
    """Every file below root: for an unpacked archive, which has no .git."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [f for f in folders if f not in (".git", ".cache", "build", "__pycache__")]
        found += [os.path.relpath(os.path.join(folder, name), root) for name in files]
    return found


def load(root):
    """The tree below root. Files that are not text are there with an empty text."""
    paths = listed_by_git(root)
    if not paths:
        paths = walked(root)
    tree = {}
    for path in sorted(paths):
        text = ""
        if not path.startswith(FOREIGN):
            try:
                with open(os.path.join(root, path), encoding="utf-8") as file:
                    text = file.read()
            except UnicodeDecodeError:
                pass
            except FileNotFoundError:  # deleted since it was listed
                continue
        tree[path] = text
    return tree
