"""``tumorboard serve user``: a password is asked for or piped, never an argument."""

from __future__ import annotations

import io
import sys

import pytest

from tumorboard.cli.main import main
from tumorboard.serve.settings_file import write_settings_file


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    path = write_settings_file(tmp_path / "department")

    def go(*words: str, typed: str = "") -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["tumorboard", "serve", "user", *words, "--settings", str(path)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        told = capsys.readouterr()
        return code, told.out + told.err

    return go


def test_users_come_change_and_are_listed(command):
    assert command("add", "anna", "--role", "reader", "--stdin", typed="a good password\n") == (
        0,
        "added anna (reader)\n",
    )
    assert command("list") == (0, "anna\treader\tmay log in\n")
    assert command("change", "anna", "--role", "admin", "--bar")[0] == 0
    assert command("list") == (0, "anna\tadmin\tbarred\n")


@pytest.mark.parametrize(
    ("words", "typed", "told"),
    [
        (("add", "anna", "--role", "raeder", "--stdin"), "a good password\n", "did you mean 'reader'"),
        (("add", "anna", "--role", "reader", "--stdin"), "short\n", "12 to 256"),
        (("add", "An na", "--role", "reader", "--stdin"), "a good password\n", "small letters"),
        (("change", "anna", "--bar"), "", "a user who is there"),
    ],
)
def test_what_is_wrong_is_told_and_ends_with_2(command, words, typed, told):
    code, said = command(*words, typed=typed)
    assert code == 2
    assert told in said
    assert "good password" not in said


def test_a_password_is_no_argument(command):
    assert command("add", "anna", "--role", "reader", "--password", "a good password")[0] == 2
