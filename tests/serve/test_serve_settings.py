"""Settings of a department: strict, closed by default, and a file that says every key."""

from __future__ import annotations

import re
import tomllib

import pytest
from pydantic import ValidationError

from tumorboard.errors import InputError, OutputError
from tumorboard.serve.settings import DepartmentSettings, read_settings
from tumorboard.serve.settings_file import settings_text, write_settings_file

PEER = {"name": "pacs", "ae_title": "PACS", "host": "127.0.0.1", "port": 4242}


def test_the_written_file_is_read_back_as_the_defaults(tmp_path):
    told = read_settings(write_settings_file(tmp_path / "home"))
    assert told == DepartmentSettings(home=tmp_path / "home")


def test_every_key_of_the_written_file_is_one_that_is_accepted(tmp_path):
    lines = []
    for line in settings_text().splitlines():
        key = re.match(r"#(\w+ = |\[)", line)
        lines.append(line[1:] if key else line)
    told = tomllib.loads("\n".join(lines))
    assert set(told) == set(DepartmentSettings.model_fields)
    for name, field in DepartmentSettings.model_fields.items():
        part = getattr(field.annotation, "model_fields", None)
        if part is not None:
            assert set(told[name]) == set(part), name
    told["peers"][0] |= PEER
    for part in ("node", "web"):
        told[part].pop("tls")
    assert DepartmentSettings.model_validate(told).peers[0].name == "pacs"


def test_a_home_that_has_settings_keeps_them(tmp_path):
    write_settings_file(tmp_path)
    with pytest.raises(OutputError):
        write_settings_file(tmp_path)


def test_nothing_is_open_by_default(tmp_path):
    told = DepartmentSettings(home=tmp_path)
    assert told.node.host == told.web.host == "127.0.0.1"
    assert told.returning.to == told.priors.source == ""


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"node": {"host": "0.0.0.0"}}, "calling_ae_titles"),
        ({"node": {"ae_title": ""}}, "ae_title"),
        ({"node": {"ae_title": "A\\B"}}, "ae_title"),
        ({"node": {"ae_title": "SEVENTEEN_LETTERS"}}, "ae_title"),
        ({"node": {"port": 70000}}, "port"),
        ({"web": {"host": "0.0.0.0"}}, "tls"),
        ({"returning": {"to": "pasc"}, "peers": [PEER]}, "did you mean 'pacs'"),
        ({"priors": {"source": "pacs"}}, "no peer"),
        ({"peers": [PEER, PEER]}, "two peers"),
        ({"returning": {"to": "pacs", "how": "stow"}, "peers": [PEER]}, "dicomweb"),
        ({"returning": {"kinds": ["video"]}}, "kinds"),
        ({"retruning": {}}, "retruning"),
        ({"database": "mysql://x"}, "database"),
        (
            {
                "priors": {"source": "pacs"},
                "peers": [PEER | {"fetch": "move"}],
                "node": {"calling_ae_titles": ["SCAN"]},
            },
            "by move it sends to this node",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path, wrong, words):
    with pytest.raises(ValidationError, match=re.escape(words)):
        DepartmentSettings(home=tmp_path, **wrong)


def test_an_unknown_peer_has_the_nearest_as_remedy(tmp_path):
    told = DepartmentSettings(home=tmp_path, peers=[PEER])
    assert told.peer("pacs").port == 4242
    with pytest.raises(InputError, match="did you mean 'pacs'"):
        told.peer("pac")


def test_paths_are_taken_from_the_file(tmp_path):
    file = tmp_path / "a.toml"
    file.write_text('home = "h"\n[node.tls]\ncertificate = "c.pem"\nkey = "/k.pem"\n')
    told = read_settings(file)
    assert told.home == tmp_path / "h"
    assert (told.node.tls.certificate, str(told.node.tls.key)) == (tmp_path / "c.pem", "/k.pem")
