"""Logging in: passwords, sessions, tokens, locks, and what is noted of them."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tumorboard.errors import InputError
from tumorboard.serve.data.people import Audit, Login, User
from tumorboard.serve.data.words import Role
from tumorboard.serve.web.users import add_user, change_user, list_users

PASSWORD = "correct horse battery"


def cookies(answer):
    return answer.headers.get_list("set-cookie")


def test_a_session_begins_and_ends(browser, audit):
    visitor = browser()
    assert visitor.get("/worklist").headers["location"] == "/login?next=/worklist"
    assert visitor.log_in().headers["location"] == "/worklist"
    assert visitor.get("/worklist").status_code == 200
    assert visitor.send("/logout").headers["location"] == "/login"
    assert visitor.get("/worklist").status_code == 303
    assert [row[:2] for row in audit()] == [
        ("reader", "logged in"),
        ("reader", "worklist opened"),
        ("reader", "worklist opened"),
        ("reader", "logged out"),
    ]


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(browser):
    (session,) = (c for c in cookies(browser().log_in()) if c.startswith("tumorboard=") and "Max-Age=0" not in c)
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(session.split("; "))


def test_over_tls_the_cookie_is_secure_and_bound_to_the_host(browser):
    http = browser(base="https://127.0.0.1").http
    (form,) = cookies(http.get("/login"))
    assert form.startswith("__Host-tumorboard-form=")
    assert "Secure" in form
    assert "strict-transport-security" in http.get("/login").headers


def test_no_token_stands_in_the_database(browser, db):
    visitor = browser("reader")
    with db.read() as session:
        kept = session.scalars(select(Login)).one()
    assert visitor.http.cookies["tumorboard"] not in (kept.token_digest, kept.csrf)


def test_a_fixed_session_is_worth_nothing(browser, db):
    """A token that somebody else set before log-in is not the one after it. Session fixation."""
    visitor = browser()
    visitor.http.cookies.set("tumorboard", "fixed")
    visitor.log_in()
    thief = browser()
    thief.http.cookies.set("tumorboard", "fixed")
    assert thief.get("/worklist").status_code == 303
    with db.read() as session:
        assert len(session.scalars(select(Login)).all()) == 1


def test_an_old_token_is_dead_after_logging_out(browser):
    visitor = browser("reader")
    token = visitor.http.cookies["tumorboard"]
    visitor.send("/logout")
    thief = browser()
    thief.http.cookies.set("tumorboard", token)
    assert thief.get("/worklist").status_code == 303


@pytest.mark.parametrize(("minutes", "open_still"), [(29, True), (31, False)])
def test_a_silent_session_ends(browser, clock, minutes, open_still):
    visitor = browser("reader")
    clock.move(minutes=minutes)
    assert (visitor.get("/worklist").status_code == 200) is open_still


def test_looking_keeps_a_session_open_but_not_beyond_a_day_of_work(browser, clock):
    visitor = browser("reader")
    for _ in range(11 * 3):
        clock.move(minutes=20)
        assert visitor.get("/worklist").status_code == 200
    clock.move(minutes=61)
    assert visitor.get("/worklist").status_code == 303


def test_what_a_page_asks_for_by_itself_keeps_nobody_logged_in(browser, clock):
    visitor = browser("reader")
    token = visitor.token()
    for _ in range(3):
        clock.move(minutes=12)
        got = visitor.post("/worklist/poll", headers={"x-csrf-token": token, "hx-request": "true"})
    assert got.status_code == 401
    assert got.headers["hx-redirect"] == "/login"


@pytest.mark.parametrize("name", ["reader", "nobody"])
def test_what_was_wrong_is_not_told(browser, name):
    got = browser().log_in(name, "wrong password here")
    assert got.status_code == 401
    assert "Name or password is wrong" in got.text


def test_a_barred_user_is_out_at_once(browser, db):
    visitor = browser("reader")
    change_user(db, "reader", active=False)
    assert visitor.get("/worklist").status_code == 303
    assert visitor.log_in().status_code == 401


def test_wrong_passwords_lock_an_account_for_a_while_and_are_noted(browser, clock, audit):
    visitor = browser()
    for _ in range(5):
        assert visitor.log_in("reader", "wrong password here").status_code == 401
        clock.move(seconds=20)
    assert visitor.log_in().status_code == 401
    assert browser("admin")
    assert [row[1] for row in audit()][:6] == ["login failed"] * 5 + ["login refused"]
    clock.move(minutes=16)
    assert visitor.log_in().status_code == 303


def test_a_name_that_is_none_of_ours_is_not_noted(browser, db):
    browser().log_in("hunter2-typed-in-the-wrong-field", "wrong password here")
    with db.read() as session:
        rows = session.scalars(select(Audit)).all()
    assert [row.who for row in rows] == ["(unknown)"]
    assert "hunter2" not in str([(row.what, row.on, row.detail) for row in rows])


def test_tries_are_counted_by_address(browser, settings, clock):
    visitor, other = browser(), browser(address="10.0.0.8")
    for _ in range(settings.web.logins_per_minute):
        assert visitor.log_in("nobody", "wrong password here").status_code == 401
    got = visitor.log_in()
    assert got.status_code == 429
    assert int(got.headers["retry-after"]) >= 1
    assert other.log_in().status_code == 303
    clock.move(minutes=1)
    assert visitor.log_in().status_code == 303


@pytest.mark.parametrize(
    "path", ["/logout", "/worklist", "/worklist/poll", "/studies/0000000000000000/again", "/audit"]
)
@pytest.mark.parametrize("token", ["", "wrong", "ä" * 30])
def test_no_change_without_the_sessions_own_token(browser, path, token):
    assert browser("admin").post(path, {"csrf": token}).status_code == 403


def test_another_sessions_token_is_not_taken(browser):
    token = browser("admin").token()
    assert browser("admin").post("/worklist", {"csrf": token}).status_code == 403


def test_a_login_form_of_another_page_is_not_taken(browser):
    assert browser().post("/login", {"name": "reader", "password": PASSWORD, "csrf": "x"}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [{"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}],
    ids=["origin", "null", "fetch"],
)
def test_changes_from_other_pages_are_refused_even_with_a_token(browser, headers):
    visitor = browser("reader")
    token = visitor.token()
    assert visitor.post("/worklist", {"csrf": token}, headers=headers).status_code == 403
    assert visitor.post("/worklist", {"csrf": token}, headers={"origin": "http://127.0.0.1:8080"}).status_code == 200


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        ("/studies/0123456789abcdef", "/studies/0123456789abcdef"),
        ("//evil.example/worklist", "/worklist"),
        ("https://evil.example", "/worklist"),
        ("/worklist/../../x", "/worklist"),
        ("/login", "/worklist"),
        ("/studies/a\r\nset-cookie: x=1", "/worklist"),
    ],
)
def test_after_log_in_one_stays_here(browser, asked, where):
    visitor = browser()
    form = {"name": "reader", "password": PASSWORD, "csrf": visitor.token("/login"), "next": asked}
    assert visitor.post("/login", form).headers["location"] == where


def test_users_are_made_by_the_command_line_alone(db):
    add_user(db, "anna", Role.READER, PASSWORD, "Dr Anna")
    (anna,) = list_users(db)
    assert (anna.name, anna.role, anna.shown_name) == ("anna", Role.READER, "Dr Anna")
    assert anna.password.startswith("$argon2id$")
    assert PASSWORD not in anna.password
    change_user(db, "anna", role=Role.ADMIN, password="another good password")
    assert list_users(db)[0].role is Role.ADMIN
    with pytest.raises(InputError, match="taken"):
        add_user(db, "anna", Role.READER, PASSWORD)
    for name in ("", "Anna", "a b", "a/b", "x" * 33):
        with pytest.raises(InputError, match="small letters"):
            add_user(db, name, Role.READER, PASSWORD)
    with pytest.raises(InputError, match="12 to 256"):
        add_user(db, "ben", Role.READER, "short")
    with pytest.raises(InputError, match="anna"):
        change_user(db, "ana", active=False)


def test_a_changed_user_is_logged_out_everywhere(browser, db):
    visitor = browser("reader")
    change_user(db, "reader", role=Role.RESEARCHER)
    assert visitor.get("/worklist").status_code == 303


def test_a_machine_sends_its_password_each_time(browser, db, clock):
    machine = browser()
    assert machine.get("/dicomweb/studies", auth=("reader", PASSWORD)).status_code == 204
    assert machine.get("/dicomweb/studies", auth=("reader", "wrong password here")).status_code == 401
    assert machine.get("/dicomweb/studies").headers["www-authenticate"].startswith("Basic")
    assert machine.get("/worklist", auth=("reader", PASSWORD)).status_code == 303
    assert machine.get("/dicomweb/studies", auth=("reader", PASSWORD)).status_code == 204
    with db.begin() as session:
        session.scalars(select(User).where(User.name == "reader")).one().active = False
    assert machine.get("/dicomweb/studies", auth=("reader", PASSWORD)).status_code == 401


def test_a_machine_is_hashed_once_a_minute(browser, clock, audit):
    machine = browser()
    for _ in range(3):
        machine.get("/dicomweb/studies", auth=("reader", PASSWORD))
    assert [row[1] for row in audit()].count("logged in") == 1
    clock.move(seconds=61)
    machine.get("/dicomweb/studies", auth=("reader", PASSWORD))
    assert [row[1] for row in audit()].count("logged in") == 2


@pytest.mark.parametrize("given", ["Basic", "Basic !!", "Basic cmVhZGVy", "Bearer x", "Basic /w=="])
def test_odd_credentials_are_no_credentials(browser, given):
    assert browser().get("/dicomweb/studies", headers={"authorization": given}).status_code == 401
