"""Answers all questions anew: every study in its order; with --smoke, tiny, into a temporary folder.

python experiments/all.py [--smoke] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import traceback
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from multiprocessing import get_context
from pathlib import Path

from study import HERE, Study

STUDIES = sorted(HERE.glob("[0-9][0-9]_*.py"))


def main(words: list[str] | None = None) -> int:
    """Run all studies; 0 when all answered."""
    parser = argparse.ArgumentParser("all.py", description="Every study, in its order.")
    parser.add_argument("--smoke", action="store_true", help="tiny settings, into a temporary folder")
    parser.add_argument("--out", type=Path, help="folder of the answers, if not those of the studies")
    given = parser.parse_args(words)
    out = given.out or (Path(tempfile.mkdtemp(prefix="studies-")) if given.smoke else HERE)
    ask = partial(answer, words=[*(["--smoke"] if given.smoke else []), "--out", str(out)])
    if given.smoke:  # tiny studies use one core each, the others all
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as two:
            codes = list(two.map(ask, STUDIES))
    else:
        codes = [ask(file) for file in STUDIES]
    failed = [file.stem for file, code in zip(STUDIES, codes, strict=True) if code]
    print(f"Failed: {', '.join(failed)}" if failed else f"All {len(STUDIES)} studies answered: {out}")
    return int(bool(failed))


def answer(file: Path, words: list[str]) -> int:
    """Run one study and return its exit code; 1 when it breaks, so that the others go on."""
    try:
        return study_of(file).main(words)
    except Exception:
        traceback.print_exc()
        return 1


def study_of(file: Path) -> Study:
    """Return the study that a file holds; its name begins with a digit, so it cannot be imported by name."""
    spec = spec_from_file_location(f"study_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Study = module.STUDY
    return found


if __name__ == "__main__":
    sys.exit(main())
