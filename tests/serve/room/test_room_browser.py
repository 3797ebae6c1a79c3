"""The reading room in a real browser: open, scroll, paint, see the volume change, move a diameter, save, accept."""

from __future__ import annotations

import time

import pytest

pytestmark = pytest.mark.slow

KEY = "study0000000000{}"


FILLED = """() => room.visible().map((pane) => {
  const { width, height } = pane.nv.canvas;
  return pane.tiles().every(({ leftTopWidthHeight: [, , w, h] }) => w === width && h === height);
})"""
"""Whether each view was drawn after its place had changed for the last time."""


def _open(page, address: str) -> None:
    page.goto(f"{address}/room/{KEY.format(3)}", wait_until="domcontentloaded")
    page.wait_for_selector("body[data-ready=yes]", state="attached")


def _volume(page, name: str) -> float:
    return float(page.inner_text(f"#volume-{name}"))


def test_a_reader_corrects_and_accepts(page, address, department, shot):
    _open(page, address)
    shot(page, "opened")
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
    shot(page, "painted")
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
    shot(page, "accepted")


def test_a_diameter_is_moved_by_hand(page, address, shot):
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
    shot(page, "moved")
    page.keyboard.press("Control+s")
    page.wait_for_selector("#versions .draft")
    assert "by hand" in page.inner_text(".lesion >> nth=0")


def test_who_is_slower_is_told_and_keeps_their_painting(page, address, department, save, shot):
    _open(page, address)
    save(department.client("second"), lambda labels: labels.__setitem__((1, 1, 1), 3))
    page.keyboard.press("f")
    box = page.locator(".pane .over").first.bounding_box()
    page.mouse.click(box["x"] + 0.42 * box["width"], box["y"] + 0.62 * box["height"])
    filled = _volume(page, "ET")
    page.keyboard.press("Control+s")
    page.wait_for_selector("#conflict[open]")
    assert page.inner_text("#conflict-by") == "Dr. Second"
    shot(page, "conflict")
    page.keyboard.press("Enter")
    assert _volume(page, "ET") == filled
    assert page.is_enabled("#save")


def test_views_and_accessibility(page, address, shot, serious):
    _open(page, address)
    for name in ("planes", "compared"):
        page.keyboard.press("g")
        time.sleep(3)
        assert all(page.evaluate(FILLED)), name
        shot(page, name)
    page.keyboard.press("u")
    page.keyboard.press("?")
    assert page.is_visible("#help")
    page.keyboard.press("Escape")
    shot(page, "uncertainty")
    assert serious(page) == []
