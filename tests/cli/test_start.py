"""How fast the command starts, what it loads, and what it says about itself."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

HEAVY = (
    *("numpy", "scipy", "nibabel", "SimpleITK", "nilearn", "torch", "numba", "cc3d", "sklearn", "pandas"),
    *("matplotlib", "weasyprint", "jinja2", "pydantic"),
)
"""What may not be loaded by ``import tumorboard`` or by asking for help."""

COMMANDS = (
    *("run", "segment", "measure", "detect", "validate", "demo", "evaluate", "simulate", "deidentify", "train"),
    *("radiomics", "respond", "index"),
)
SCRIPT = Path(sys.executable).parent / "tumorboard"


def _loaded_by(code: str) -> set[str]:
    told = f"{code}\nimport json, sys\nprint('\\n' + json.dumps(sorted(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in json.loads(ended.stdout.splitlines()[-1])}


def _seconds(*words: str) -> float:
    """Shortest wall time of five."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run(words, capture_output=True, check=True)
        times.append(time.perf_counter() - start)
    return min(times)


def test_importing_the_package_loads_nothing_heavy():
    loaded = _loaded_by("import tumorboard")
    assert "tumorboard" in loaded
    assert not loaded & {*HEAVY, "typer", "click", "rich"}


def test_a_name_of_the_package_is_loaded_when_it_is_used():
    assert "numpy" in _loaded_by("import tumorboard; tumorboard.Volume")


HELP = """
import sys
from tumorboard.cli.main import main
sys.argv = ["tumorboard", {words}]
try:
    main()
except SystemExit as ended:
    assert not ended.code
"""


@pytest.mark.parametrize("words", ['"--help"', '"--version"', '"run", "--help"', '"demo", "--help"'])
def test_help_loads_nothing_heavy(words):
    loaded = _loaded_by(HELP.format(words=words))
    allowed = {"pydantic"} if "," in words else set()  # typer itself looks at pydantic's types for a command
    assert "typer" in loaded
    assert not (loaded & set(HEAVY)) - allowed


def test_importing_takes_less_than_three_tenths_of_a_second():
    bare = _seconds(sys.executable, "-c", "pass")
    assert _seconds(sys.executable, "-c", "import tumorboard") - bare < 0.3


def test_help_takes_less_than_a_second():
    assert _seconds(str(SCRIPT), "--help") < 1.0


def test_every_command_explains_itself(command):
    top = command("--help")
    assert top.code == 0
    assert "Exit codes: 0 all done, 2 input refused, 3 some patients failed, 1 a defect of ours." in top.flat
    assert "not a medical device" in top.flat
    for name in COMMANDS:
        ended = command(name, "--help")
        assert ended.code == 0, name
        assert name in top.flat
        assert re.search(rf"Usage: tumorboard {name} ", ended.flat)


@pytest.mark.parametrize("words", [("swim",), ("run", "--depth", "3"), ("run", "x"), ("evaluate", "x")])
def test_words_that_are_no_command_end_in_2(command, words):
    ended = command(*words)
    assert ended.code == 2
    assert "Traceback" not in ended.text


def test_version(command):
    import tumorboard

    ended = command("--version")
    assert (ended.code, ended.out.strip()) == (0, f"tumorboard {tumorboard.__version__}")
