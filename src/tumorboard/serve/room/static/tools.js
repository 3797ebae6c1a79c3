// What mouse and pen do in a view: look, paint, erase, encircle, fill, move the ends of lines.

import { PLANES } from "./grid.js";
import { paintLines } from "./lines.js";

export const TOOLS = ["look", "brush", "erase", "lasso", "fill", "lines"];
const PAINTS = new Set(["brush", "erase", "lasso", "fill"]);
const SHADES = ["#ffffff", "#eb5757", "#4cbb8c", "#f2be3c", "#5b8def"];

export class Tools {
  constructor(room) {
    this.room = room;
    this.mode = "look";
    this.value = 3;
    this.radius = 4; // mm
    this.ball = false;
    this.thickness = 10; // mm, of a lasso
    this.tolerance = 22; // greys, of a fill
    this.reach = 20; // mm, of a fill
    this.hover = null;
    this.drag = null;
    this.last = null;
  }

  attach(pane) {
    const { over } = pane;
    over.addEventListener("pointerdown", (event) => this.#down(pane, event));
    over.addEventListener("pointermove", (event) => this.#move(pane, event));
    over.addEventListener("pointerup", (event) => this.#up(pane, event));
    over.addEventListener("pointercancel", (event) => this.#up(pane, event));
    over.addEventListener("pointerleave", () => this.#leave());
    over.addEventListener("wheel", (event) => this.#wheel(pane, event), { passive: false });
    over.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  choose(mode) {
    this.mode = mode;
    this.drag = null;
    this.last = null;
  }

  // The last fill once more, with another tolerance or reach.
  refill() {
    const { last, room } = this;
    if (!last || room.outline.at !== last.at) return;
    room.outline.undo();
    this.#fill(last.pane, last.seed);
  }

  #down(pane, event) {
    const under = pane.under(event);
    if (!under) return;
    event.preventDefault();
    pane.over.setPointerCapture(event.pointerId);
    this.room.focus(pane);
    const start = { x: event.clientX, y: event.clientY };
    if (event.button === 2) this.drag = { kind: "window", ...start, window: this.room.windowOf(pane) };
    else if (event.button === 1 || event.shiftKey) this.drag = { kind: "pan", ...start, pan: [...this.room.pan], under };
    else if (PAINTS.has(this.mode) && !pane.image.own) this.room.say("Only the outline of this study can be changed.");
    else this.#begin(pane, event, under);
  }

  #begin(pane, event, under) {
    const { room } = this;
    const at = room.grid.nearest(under.voxel);
    if (this.mode === "brush" || this.mode === "erase") {
      room.outline.begin();
      this.drag = { kind: "paint", value: this.mode === "erase" ? 0 : this.value, at };
      room.outline.dab(at, this.radius, under.plane, this.ball, this.drag.value);
      room.painted();
    } else if (this.mode === "lasso") {
      this.drag = { kind: "lasso", points: [under.voxel], plane: under.plane, tile: under.tile, pane, erase: event.altKey };
    } else if (this.mode === "fill") {
      this.#fill(pane, at);
    } else if (this.mode === "lines" && this.#takeLine(pane, event, under)) {
      this.drag = { kind: "line" };
    } else {
      this.drag = { kind: "look" };
      room.goTo(at);
    }
  }

  #takeLine(pane, event, { tile, plane }) {
    const box = pane.over.getBoundingClientRect();
    const ratio = pane.nv.uiData.dpr || 1;
    const at = [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
    const taken = pane.image.own && this.room.lines.take(pane, tile, plane, this.room.cursor, at);
    if (taken) this.room.lines.held.axis = plane.axis;
    return taken;
  }

  #fill(pane, seed) {
    const { room } = this;
    room.outline.begin();
    const count = room.outline.grow(seed, pane.image.greys, this.tolerance, this.reach, this.value);
    room.outline.end();
    this.last = { pane, seed, at: room.outline.at };
    room.painted();
    room.say(`Filled ${(count * room.grid.voxelMl).toFixed(2)} mL; the sliders change it.`);
  }

  #move(pane, event) {
    const under = pane.under(event);
    this.hover = under && { pane, under };
    const { drag, room } = this;
    if (!drag) return room.redraw();
    if (drag.kind === "window") return room.dragWindow(pane, drag, event.clientX - drag.x, event.clientY - drag.y);
    if (drag.kind === "pan") return this.#pan(pane, drag, event);
    if (!under) return undefined;
    if (drag.kind === "look") return room.goTo(room.grid.nearest(under.voxel));
    if (drag.kind === "line") {
      room.lines.move(under.voxel);
      return room.changed();
    }
    if (drag.kind === "paint") {
      const at = room.grid.nearest(under.voxel);
      room.outline.drag(drag.at, at, this.radius, under.plane, this.ball, drag.value);
      drag.at = at;
      return room.painted();
    }
    if (under.plane === drag.plane) drag.points.push(under.voxel);
    return room.redraw();
  }

  #pan(pane, drag, event) {
    const { room } = this;
    const { plane, tile } = drag.under;
    const scale = tile.fovMM[0] / (tile.leftTopWidthHeight[2] / (pane.nv.uiData.dpr || 1));
    // both run against the screen: the patient's right and front are on the left, and up is up
    room.pan[plane.across] = drag.pan[plane.across] - (event.clientX - drag.x) * Math.abs(scale);
    room.pan[plane.up] = drag.pan[plane.up] - (event.clientY - drag.y) * Math.abs(scale);
    room.redraw();
  }

  #up(pane, event) {
    const { drag, room } = this;
    this.drag = null;
    if (!drag) return;
    if (pane.over.hasPointerCapture(event.pointerId)) pane.over.releasePointerCapture(event.pointerId);
    if (drag.kind === "paint") {
      room.outline.end();
      room.changed();
    } else if (drag.kind === "lasso" && drag.points.length > 2) {
      room.outline.begin();
      room.outline.lasso(drag.points, drag.plane, this.thickness, drag.erase ? 0 : this.value);
      room.outline.end();
      room.painted();
    }
    room.redraw();
  }

  #leave() {
    this.hover = null;
    this.room.redraw();
  }

  #wheel(pane, event) {
    event.preventDefault();
    const { room } = this;
    const step = Math.sign(event.deltaY);
    if (event.ctrlKey) return room.setZoom(room.zoom * (step < 0 ? 1.15 : 1 / 1.15));
    const under = pane.under(event);
    const plane = under ? under.plane : PLANES[pane.plane];
    return room.scroll(plane.axis, -step);
  }

  // Draw lines, the tool's reach and a lasso on the way into one slice of a view.
  paint(pane, tile, pen) {
    const { room, drag } = this;
    const plane = PLANES[tile.axCorSag];
    if (pane.image.own && room.showLines) {
      paintLines(room.lines, pane, tile, plane, room.cursor, pen, this.mode === "lines");
    }
    if (drag?.kind === "lasso" && drag.pane === pane && drag.tile.axCorSag === tile.axCorSag) this.#lassoLine(pane, tile, pen);
    else if (this.hover?.pane === pane && this.hover.under.tile.axCorSag === tile.axCorSag) this.#reach(pane, tile, pen);
  }

  #lassoLine(pane, tile, pen) {
    pen.beginPath();
    this.drag.points.map((p) => pane.toCanvas(p, tile)).forEach((at, n) => at && (n ? pen.lineTo(...at) : pen.moveTo(...at)));
    pen.closePath();
    pen.lineWidth = 1.5 * (window.devicePixelRatio || 1);
    pen.strokeStyle = SHADES[this.drag.erase ? 0 : this.value];
    pen.stroke();
  }

  #reach(pane, tile, pen) {
    if (!["brush", "erase", "fill"].includes(this.mode) || !pane.image.own) return;
    const { voxel, plane } = this.hover.under;
    const radius = this.mode === "fill" ? this.reach : this.radius;
    const side = [...voxel];
    side[plane.across] += radius / this.room.grid.spacing[plane.across];
    const [middle, edge] = [pane.toCanvas(voxel, tile), pane.toCanvas(side, tile)];
    if (!middle || !edge) return;
    pen.beginPath();
    pen.arc(middle[0], middle[1], Math.abs(edge[0] - middle[0]), 0, 2 * Math.PI);
    pen.lineWidth = window.devicePixelRatio || 1;
    pen.strokeStyle = SHADES[this.mode === "erase" ? 0 : this.value];
    pen.setLineDash(this.mode === "fill" ? [4, 4] : []);
    pen.stroke();
    pen.setLineDash([]);
  }
}
