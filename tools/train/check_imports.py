"""Checks the imports of tools/train: every folder uses only the folders below it, no module imports itself in a circle, imports are at the top of a module, and
run.py's modules exist. Standard library only; takes a second.

    python tools/train/check_imports.py
"""

import ast
import graphlib
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent
# The folders that each folder may import. A new edge is a decision: add it here.
ALLOWED = {
    "world": set(),
    "common": {"world"},
    "storybook": {"world"},
    "prompts": {"world"},
    "networks": {"common", "world", "storybook", "prompts"},
    "judge": {"common", "world", "storybook", "prompts", "networks"},
    "bundle": {"common", "world", "networks"},
}
LOCAL_IMPORT = re.compile(r"#.*optional")  # an import inside a function must say why: an optional dependency


def modules():
    """{dotted name: path} of all modules in folders."""
    return {".".join(path.relative_to(ROOT).with_suffix("").parts): path for folder in ALLOWED for path in sorted((ROOT / folder).glob("*.py"))
            if path.name != "__init__.py"}


def imported(node, known):
    """The modules of tools/train that an import statement names."""
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else \
        [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return {name for name in names if name in known}


def faults():
    """Yields one sentence per fault; prints the totals at the end."""
    known, graph, edges = modules(), {}, set()
    for name, path in known.items():
        source = path.read_text()
        tree, lines, folder = ast.parse(source), source.splitlines(), name.split(".")[0]
        graph[name] = set()
        for node in ast.walk(tree):
            if not isinstance(node, (ast.Import, ast.ImportFrom)):
                continue
            if node.col_offset and not LOCAL_IMPORT.search(lines[node.lineno - 1]):
                yield f"{path.relative_to(ROOT)}:{node.lineno}: import inside a function without a comment '# optional …'"
            for other in imported(node, known):
                graph[name].add(other)
                target = other.split(".")[0]
                if target != folder:
                    edges.add((folder, target))
                    if target not in ALLOWED[folder]:
                        yield f"{path.relative_to(ROOT)}:{node.lineno}: {folder} may not import {target}"
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        yield "circle: " + " -> ".join(error.args[1])
    for name in re.findall(r'"([a-z]+\.[a-z_]+)"', (ROOT / "run.py").read_text()):
        if name.split(".")[0] in ALLOWED and name not in known:
            yield f"run.py names {name}, which does not exist"
    print(f"{len(known)} modules in {len(ALLOWED)} folders, {sum(map(len, graph.values()))} imports between modules, {len(edges)} between folders")


if __name__ == "__main__":
    found = list(faults())
    print("\n".join(found))
    sys.exit(bool(found))
