"""The files in deploy are true: command lines exist with their options, and each says what the others say."""

import configparser
import json
import re
import shlex
from pathlib import Path

import pytest
import typer

from tumorboard import __version__
from tumorboard.cli.main import app
from tumorboard.defaults import SEGMENTER

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
COMMAND = json.loads((DEPLOY / "xnat" / "command.json").read_text())
APP, PKG = (json.loads((DEPLOY / "map" / name).read_text()) for name in ("app.json", "pkg.json"))
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()


def instructions():
    """Return (instruction, rest) of the Dockerfile, continuation lines joined."""
    lines = [line for line in DOCKERFILE.splitlines() if line.strip() and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in joined.splitlines()]


def unit(name):
    parsed = configparser.ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str
    parsed.read(DEPLOY / "systemd" / name)
    return parsed


def checked(line):
    """Parse a command line of ours as the command itself would; raise where it would be refused."""
    program, *words = shlex.split(line)
    assert Path(program).name == "tumorboard"
    command, name = typer.main.get_command(app), "tumorboard"
    while words and words[0] in getattr(command, "commands", {}):
        name, *words = words
        command = command.commands[name]
    return command.make_context(name, words)


LINES = [
    COMMAND["command-line"].replace("#SEGMENTER#", SEGMENTER),
    APP["command"],
    unit("tumorboard.service")["Service"]["ExecStart"],
    re.search(r"exec (.*)\$\(date.*\)(\.tar)", unit("tumorboard-backup.service")["Service"]["ExecStart"]).expand(
        r"\1x\2"
    ),
]


@pytest.mark.parametrize("line", LINES)
def test_command_lines_are_ones_that_the_command_takes(line):
    context = checked(line)
    assert context.info_name in {"run", "serve", "backup"}
    assert [v for v in context.params.values() if v], line


@pytest.mark.parametrize("line", ["tumorboard run /input --nowhere /output", "tumorboard serve backup --settings x"])
def test_a_wrong_command_line_would_be_found(line):
    with pytest.raises(Exception, match=r"--nowhere|parameter: out"):
        checked(line)


def test_all_say_the_same_version():
    told = re.findall(r'image\.version="([^"]+)"', DOCKERFILE)
    assert {COMMAND["version"], APP["version"], PKG["version"], *told} == {__version__}
    assert COMMAND["image"] == f"tumorboard:{__version__}"


def test_the_label_of_the_image_is_the_command():
    (rest,) = [rest for name, rest in instructions() if name == "LABEL" and "org.nrg.commands" in rest]
    (word,) = shlex.split(rest)
    assert json.loads(word.partition("=")[2]) == [COMMAND]


def test_the_xnat_command_is_whole():
    """Names and links as the container service asks them: every output has its handler, every mount a purpose."""
    for part in ("inputs", "outputs", "mounts"):
        assert all(re.fullmatch(r"[A-Za-z0-9_-]+", one["name"]) for one in COMMAND[part])
    assert COMMAND["type"] == "docker"
    mounts = {m["name"]: m for m in COMMAND["mounts"]}
    assert all(m["path"] in COMMAND["command-line"] for m in mounts.values())
    outputs = {o["name"] for o in COMMAND["outputs"]}
    assert all(mounts[o["mount"]]["writable"] for o in COMMAND["outputs"])
    (wrapper,) = COMMAND["xnat"]
    inputs = {i["name"] for i in wrapper["external-inputs"] + wrapper["derived-inputs"]}
    handled = {h["accepts-command-output"] for h in wrapper["output-handlers"]}
    assert handled == outputs
    assert {h["as-a-child-of"] for h in wrapper["output-handlers"]} <= inputs
    assert {h["type"] for h in wrapper["output-handlers"]} <= {"Resource", "Assessor", "Scan"}
    provided = {i.get("provides-files-for-command-mount") for i in wrapper["external-inputs"]}
    assert {name for name, m in mounts.items() if not m["writable"]} == provided - {None}
    keys = set(re.findall(r"#[A-Z]+#", COMMAND["command-line"]))
    assert keys == {i["replacement-key"] for i in COMMAND["inputs"]}


def test_every_segmenter_that_xnat_offers_is_one():
    from tumorboard.segment.named import segmenter_of

    (choice,) = COMMAND["inputs"]
    assert choice["default-value"] == SEGMENTER
    for name in choice["select-values"]:
        segmenter_of(name)


def test_the_manifests_of_the_application_package():
    assert APP["type"] in {"application", "service"}
    assert APP["input"]["formats"]
    assert APP["output"]["format"]
    work = Path(APP["workingDirectory"])
    assert [str(work / APP[part]["path"]) in APP["command"] for part in ("input", "output")] == [True, True]
    env = dict(re.findall(r"(HOLOSCAN_\w+)=(\S+)", DOCKERFILE))
    assert env["HOLOSCAN_INPUT_PATH"] == str(work / APP["input"]["path"])
    assert env["HOLOSCAN_OUTPUT_PATH"] == str(work / APP["output"]["path"])
    assert (PKG["applicationRoot"], PKG["modelRoot"]) == (env["HOLOSCAN_APPLICATION"], env["HOLOSCAN_MODEL_PATH"])
    assert {"cpu", "gpu", "memory"} <= set(PKG["resources"])
    copied = [rest.split() for name, rest in instructions() if name == "COPY"]
    assert ["deploy/map/app.json", "deploy/map/pkg.json", "/etc/holoscan/"] in copied


def test_the_dockerfile_keeps_the_rules_of_its_trade():
    """What hadolint asks, as far as it matters here (the number is its rule)."""
    lines = instructions()
    known = {"FROM", "RUN", "COPY", "WORKDIR", "ENV", "USER", "EXPOSE", "LABEL", "CMD"}
    assert {name for name, _ in lines} <= known  # DL1000, and no ADD (DL3020)
    assert lines[0][0] == "FROM"
    assert re.fullmatch(r"[a-z]+:[\w.-]+", lines[0][1])  # DL3006
    assert not lines[0][1].endswith(":latest")  # DL3007
    runs = [rest for name, rest in lines if name == "RUN"]
    for run in runs:
        assert "sudo" not in run  # DL3004
        for one in run.split("&&"):
            if "apt-get install" in one:
                assert "-y" in one.split()  # DL3014
                assert "--no-install-recommends" in one  # DL3015
                assert "rm -rf /var/lib/apt/lists" in run  # DL3009
            if "pip install" in one:
                assert "--no-cache-dir" in one  # DL3042
    assert all(rest.startswith("/") for name, rest in lines if name == "WORKDIR")  # DL3000
    assert [rest for name, rest in lines if name == "USER"][-1] not in {"root", "0"}  # DL3002
    (cmd,) = [rest for name, rest in lines if name == "CMD"]
    assert json.loads(cmd)[0] == "tumorboard"  # DL3025
    for name, rest in lines:
        if name == "COPY":
            *sources, target = rest.split()
            assert all((ROOT / source).exists() for source in sources), rest
            assert target.endswith("/") or len(sources) == 1  # DL3021
    for port in [p for name, rest in lines if name == "EXPOSE" for p in rest.split()]:
        assert 0 < int(port) < 65536  # DL3011


def test_what_is_copied_is_not_ignored():
    kept = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {s for name, rest in instructions() if name == "COPY" for s in rest.split()[:-1]}
    assert all(any(source == k or source.startswith(f"{k}/") for k in kept) for source in copied)


def test_torch_and_deepbet_are_those_of_make_setup():
    make = (ROOT / "Makefile").read_text()
    for pinned in ("torch==2.13.0", "deepbet==1.0.2"):
        assert pinned in make
        assert pinned in DOCKERFILE


def test_units_are_ones_that_systemd_reads():
    service, nightly, timer = (unit(f"tumorboard{n}") for n in (".service", "-backup.service", "-backup.timer"))
    for one in (service, nightly):
        assert set(one.sections()) <= {"Unit", "Service", "Install"}
        told = one["Service"]
        assert told["User"] == "tumorboard"
        assert (told["NoNewPrivileges"], told["ProtectSystem"], told["UMask"]) == ("yes", "strict", "0077")
        assert "/var/lib/" + told["StateDirectory"] in told["ExecStart"]
    assert service["Service"]["KillSignal"] == "SIGINT"  # one Ctrl-C stops all
    assert service["Service"]["Restart"] == "on-failure"
    assert timer["Timer"]["OnCalendar"]
    assert "%%Y%%m%%d" in nightly["Service"]["ExecStart"]  # systemd takes one % for its own
    ports = {int(p) for name, rest in instructions() if name == "EXPOSE" for p in rest.split()}
    from tumorboard.serve.settings import NodeSettings, WebSettings

    assert ports == {NodeSettings().port, WebSettings().port}
