"""The reading room in a real browser: open, scroll, paint, see the volume change, move a diameter, save, accept."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-background-networking",
)
KEY = "study0000000000{}"
PATIENCE_MS = 300_000


@pytest.fixture
def address(department):
    """Where the department is served."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(department.app, port=0, log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=20)


@pytest.fixture
def page(department, address):
    """A page of a reader's browser, which must not complain and must ask nobody else."""
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed: apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        context = browser.new_context(viewport={"width": 1366, "height": 768})
        context.set_default_timeout(PATIENCE_MS)
        context.add_cookies([{"name": "tumorboard", "value": department.tokens["reader"][0], "url": address}])
        page, complaints = context.new_page(), []
        page.on("console", lambda said: complaints.append(said.text) if _is_complaint(said) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: None if _ours(asked.url, address) else complaints.append(asked.url))
        yield page
        browser.close()
        assert complaints == []


def _is_complaint(said) -> bool:
    """Whether the page complains; the browser itself tells of a refusal that the page then handles."""
    return said.type in ("error", "warning") and "409 (Conflict)" not in said.text


def _ours(url: str, address: str) -> bool:
    return url.startswith((address + "/", "data:", "blob:"))


def _open(page, address: str) -> None:
    page.goto(f"{address}/room/{KEY.format(3)}", wait_until="domcontentloaded")
    page.wait_for_selector("body[data-ready=yes]", state="attached")


def _shot(page, tmp_path: Path, name: str) -> None:
    (tmp_path / "output").mkdir(exist_ok=True)
    page.screenshot(path=tmp_path / "output" / f"{name}.png", timeout=PATIENCE_MS)


def _volume(page, name: str) -> float:
    return float(page.inner_text(f"#volume-{name}"))


def test_a_reader_corrects_and_accepts(page, address, department, tmp_path):
    _open(page, address)
    _shot(page, tmp_path, "opened")
    foot = page.locator(".pane .foot").first
    before = foot.inner_text()
    page.keyboard.press("ArrowUp")
    time.sleep(2)
    assert foot.inner_text() != before

    volume = _volume(page, "ET")
    page.keyboard.press("b")
    page.keyboard.press("3")
    box = page.locator(".pane .over").first.bounding_box()
    x, y = box["x"] + 0.42 * box["width"], box["y"] + 0.62 * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y, steps=4)
    page.mouse.up()
    painted = _volume(page, "ET")
    assert painted > volume
    _shot(page, tmp_path, "painted")
    page.keyboard.press("Control+z")
    assert _volume(page, "ET") == volume
    page.keyboard.press("Control+y")
    assert _volume(page, "ET") == painted

    page.fill("#comment", "rim was missed")
    page.keyboard.press("Tab")
    page.click("#save")
    page.wait_for_selector("#versions .draft")
    state = department.client().get(f"/room/{KEY.format(3)}/state").json()
    measured = next(v["value"] for v in state["numbers"]["volumes"] if v["region"] == "ET")
    assert measured == pytest.approx(painted, abs=0.006)
    page.click("#accept")
    page.wait_for_selector("#versions .accepted")
    page.wait_for_selector("#progress", state="visible")
    _shot(page, tmp_path, "accepted")


def test_a_diameter_is_moved_by_hand(page, address, tmp_path):
    _open(page, address)
    before = page.inner_text(".lesion >> nth=0")
    page.keyboard.press("m")
    end = page.evaluate(
        """() => {
          const pane = room.panes[0], tile = pane.tiles()[0], ratio = pane.nv.uiData.dpr || 1;
          const at = pane.toCanvas(room.grid.toVoxel(room.lines.pairs[0].longest[0]), tile);
          const box = pane.over.getBoundingClientRect();
          return [box.left + at[0] / ratio, box.top + at[1] / ratio];
        }"""
    )
    page.mouse.move(*end)
    page.mouse.down()
    page.mouse.move(end[0] - 25, end[1] - 25, steps=4)
    page.mouse.up()
    assert page.inner_text(".lesion >> nth=0") != before
    assert "by hand" in page.inner_text(".lesion >> nth=0")
    _shot(page, tmp_path, "moved")
    page.keyboard.press("Control+s")
    page.wait_for_selector("#versions .draft")
    assert "by hand" in page.inner_text(".lesion >> nth=0")


def test_who_is_slower_is_told_and_keeps_their_painting(page, address, department, save, tmp_path):
    _open(page, address)
    save(department.client("second"), lambda labels: labels.__setitem__((1, 1, 1), 3))
    page.keyboard.press("f")
    box = page.locator(".pane .over").first.bounding_box()
    page.mouse.click(box["x"] + 0.42 * box["width"], box["y"] + 0.62 * box["height"])
    filled = _volume(page, "ET")
    page.keyboard.press("Control+s")
    page.wait_for_selector("#conflict[open]")
    assert page.inner_text("#conflict-by") == "Dr. Second"
    _shot(page, tmp_path, "conflict")
    page.keyboard.press("Enter")
    assert _volume(page, "ET") == filled
    assert page.is_enabled("#save")


def test_views_and_accessibility(page, address, tmp_path):
    _open(page, address)
    for name in ("planes", "compared"):
        page.keyboard.press("g")
        time.sleep(3)
        _shot(page, tmp_path, name)
    page.keyboard.press("u")
    page.keyboard.press("?")
    assert page.is_visible("#help")
    page.keyboard.press("Escape")
    _shot(page, tmp_path, "uncertainty")
    axe = Path(os.environ.get("AXE_CORE", "node_modules/axe-core/axe.min.js"))
    if not axe.is_file():
        pytest.skip("axe-core is not there: npm install axe-core, or AXE_CORE=axe.min.js")
    page.evaluate(axe.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    serious = {v["id"]: v["nodes"][0]["target"] for v in found["violations"] if v["impact"] in ("serious", "critical")}
    assert serious == {}
