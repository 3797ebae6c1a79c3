// The reading room: one study, its views, its outline. Everything that changes goes through the Room.

import { askJson, packed, Refused, send } from "./api.js";
import { Grid, PLANES } from "./grid.js";
import { Images } from "./images.js";
import { listen, writeHelp } from "./keys.js";
import { Lines } from "./lines.js";
import { Outline } from "./outline.js";
import { Pane } from "./pane.js";
import { day, element, showButtons, showJob, showLesions, showVerdicts, showVersions, showVolumes } from "./panel.js";
import { Tools, TOOLS } from "./tools.js";

const byId = (id) => document.getElementById(id);
// Presets as parts of the way from the darkest to the brightest of a sequence's brain.
const WINDOWS = [["Usual", 0, 1], ["Narrow", 0.3, 0.85], ["Bright", 0.55, 1.35], ["Dark", -0.05, 0.5], ["Whole range", null, null]];
const FAVOURITES = ["T1C", "FLAIR", "T1", "T2"];
const FILLS = [0.15, 0.4, 0];
const LAYOUTS = ["sequences", "planes", "compare"];
const POLL_MS = 1500;

class Room {
  constructor(state) {
    this.key = document.body.dataset.study;
    this.images = new Images();
    this.tools = new Tools(this);
    Object.assign(this, { pan: [0, 0, 0], zoom: 1, fill: FILLS[0], rim: 1, shown: true, crosshair: true, showLines: true, busy: false, lesion: -1, windows: {}, uncertain: false, panes: [], layout: "sequences", others: new Map() });
    this.take(state);
    this.cursor = this.grid.shape.map((n) => Math.floor(n / 2));
  }

  take(state) {
    this.state = state;
    this.grid = new Grid(state.grid);
    this.lines = new Lines(this.grid, state.numbers.lesions);
    this.other = state.others.find((o) => o.key === this.other?.key) ?? state.others.find((o) => o.earlier) ?? state.others[0] ?? null;
  }

  async start() {
    byId("others").replaceChildren(...this.state.others.map((o) => element("option", { value: o.key }, `${day(o.date)}${o.earlier ? "" : " (later)"}`)));
    byId("compared").hidden = !this.other;
    if (this.other) byId("others").value = this.other.key;
    for (const pane of document.querySelectorAll(".pane")) this.panes.push(new Pane(pane, this));
    this.panes.forEach((pane) => this.tools.attach(pane));
    this.focused = this.panes[0];
    const labels = this.loadOutline();
    this.firstImages();
    await Promise.all([labels, ...this.panes.map((pane) => pane.ready)]);
    performance.mark("views");
    await this.arrange(this.layout);
    performance.mark("images");
    if (this.state.numbers.lesions.length) this.toLesion(0);
    this.visible().forEach((pane) => pane.draw());
    performance.mark("shown");
    document.body.dataset.ready = "yes";
    this.show();
    this.watch();
  }

  // Ask for the first images while the views are being set up.
  firstImages() {
    for (const name of this.favourites(4)) this.image(name, null);
  }

  favourites(count) {
    const there = this.state.pictures.map((p) => p.name);
    return [...FAVOURITES.filter((n) => there.includes(n)), ...there.filter((n) => !FAVOURITES.includes(n))].slice(0, count);
  }

  async loadOutline() {
    const { header, labels } = await Images.labels(this.state.outline.url);
    this.header = header;
    this.outline = new Outline(this.grid, labels);
    this.before = [...this.outline.counts].map((n) => n * this.grid.voxelMl);
  }

  image(name, other) {
    const study = other ? this.state.others.find((o) => o.key === other) : this.state;
    const picture = study.pictures.find((p) => p.name === name);
    return picture ? this.images.get(picture.url, name, other) : null;
  }

  async labelsOf(image) {
    if (image.own) return this.outline.labels;
    const { outline } = this.state.others.find((o) => o.key === image.study);
    if (!this.others.has(outline)) this.others.set(outline, Images.labels(outline).then(({ labels }) => labels));
    return this.others.get(outline);
  }

  // --- views ------------------------------------------------------------------------------------------------

  async arrange(layout) {
    this.layout = layout === "compare" && !this.other ? "sequences" : layout;
    byId("layout").value = this.layout;
    const names = this.favourites(4);
    const sequences = names.map((name) => ({ name, other: null, plane: 0 }));
    const compare = names.slice(0, 2).flatMap((name) => [{ name, other: null, plane: 0 }, { name, other: this.other?.key, plane: 0 }]);
    const shown = { sequences, planes: [0, 1, 2].map((plane) => ({ name: names[0], other: null, plane })), compare }[this.layout];
    byId("views").dataset.views = String(shown.length);
    document.body.dataset.layout = this.layout;
    await Promise.all(this.panes.map((pane, n) => {
      pane.root.hidden = n >= shown.length;
      return n < shown.length ? this.fillPane(pane, shown[n]) : null;
    }));
    if (this.focused.root.hidden) this.focus(this.panes[0]);
    this.redraw(); // the views have their places only in the next frame
  }

  async fillPane(pane, { name, other, plane }) {
    const image = await this.image(name, other ?? null);
    pane.root.querySelector(".none").hidden = Boolean(image);
    if (!image) return;
    const labels = await this.labelsOf(image);
    pane.plane = plane;
    if (pane.image !== image) pane.show(image, labels, this.windows[name] ?? this.presetOf(image, 0));
    else pane.setPlane(plane);
    this.captions(pane);
    if (this.uncertain) await this.layUncertainty(pane);
  }

  captions(pane) {
    const [select, plane] = pane.root.querySelectorAll("select");
    const { image } = pane;
    const there = image.own ? this.state.pictures : this.state.others.find((o) => o.key === image.study).pictures;
    select.replaceChildren(...there.map((p) => element("option", { value: p.name }, p.name)));
    select.value = image.name;
    plane.value = String(pane.plane);
    const other = this.state.others.find((o) => o.key === image.study);
    const date = pane.root.querySelector(".date");
    date.textContent = other ? `${day(other.date)}${other.aligned ? "" : " · not aligned"}` : day(this.state.study.date);
    pane.root.classList.toggle("earlier", Boolean(other));
    pane.over.setAttribute("aria-label", `${image.name}, ${other ? "another study of" : "study of"} ${date.textContent}`);
  }

  describe(pane) {
    const [low, high] = this.windowOf(pane);
    const { axis } = PLANES[pane.plane];
    return `${this.cursor[axis] + 1}/${this.grid.shape[axis]} · W ${Math.round((high - low) / 2.55)} L ${Math.round((high + low) / 5.1)}`;
  }

  focus(pane) {
    this.focused?.root.classList.remove("focused");
    this.focused = pane;
    pane.root.classList.add("focused");
  }

  redraw() {
    if (this.drawing) return;
    this.drawing = requestAnimationFrame(() => {
      this.drawing = null;
      if (this.stale) this.visible().forEach((pane) => pane.image?.own && pane.refreshLabels());
      this.stale = false;
      this.visible().forEach((pane) => pane.draw());
    });
  }

  visible() {
    return this.panes.filter((pane) => !pane.root.hidden);
  }

  goTo(voxel) {
    this.cursor = this.grid.nearest(voxel);
    this.redraw();
  }

  scroll(axis, step) {
    const cursor = [...this.cursor];
    cursor[axis] += step;
    this.goTo(cursor);
  }

  scrollFocus(step) {
    this.scroll(PLANES[this.focused.plane].axis, step);
  }

  setZoom(zoom) {
    const wanted = Math.min(12, Math.max(1, zoom));
    const [x, y, z] = this.grid.toFraction(this.cursor).map((f, a) => (f - 0.5) * this.grid.shape[a] * this.grid.spacing[a]);
    if (wanted === 1) this.pan = [0, 0, 0];
    else this.pan = this.pan.map((p, a) => p + [x, y, z][a] * (this.zoom - wanted));
    this.zoom = wanted;
    this.redraw();
  }

  reset() {
    Object.assign(this, { pan: [0, 0, 0], zoom: 1, windows: {} });
    byId("window").value = "0";
    this.visible().forEach((pane) => pane.window(...this.windowOf(pane)));
    this.redraw();
  }

  nextLayout() {
    const there = LAYOUTS.filter((l) => l !== "compare" || this.other);
    return this.arrange(there[(there.indexOf(this.layout) + 1) % there.length]);
  }

  nextPlane() {
    this.setPlanes((this.focused.plane + 1) % 3);
  }

  setPlanes(plane) {
    if (this.layout === "planes") return;
    for (const pane of this.visible()) {
      pane.setPlane(plane);
      this.captions(pane);
    }
    this.redraw();
  }

  async nextOther() {
    const { others } = this.state;
    if (!others.length) return this.say("This patient has no other study with results.");
    if (this.layout === "compare") this.other = others[(others.indexOf(this.other) + 1) % others.length];
    byId("others").value = this.other.key;
    return this.arrange("compare");
  }

  // --- greys, outline, uncertainty ------------------------------------------------------------------------

  windowOf(pane) {
    if (!pane.image) return [0, 255];
    return this.windows[pane.image.name] ?? this.presetOf(pane.image, 0);
  }

  setWindow(name, low, high) {
    this.windows[name] = [low, high];
    this.visible().filter((pane) => pane.image?.name === name).forEach((pane) => pane.window(low, high));
    this.redraw();
  }

  presetOf(image, n) {
    const [, from, to] = WINDOWS[n];
    const [low, high] = image.usual;
    return from === null ? [0, 255] : [low + from * (high - low), low + to * (high - low)];
  }

  preset(n) {
    byId("window").value = String(n);
    for (const pane of this.visible()) if (pane.image?.own) this.setWindow(pane.image.name, ...this.presetOf(pane.image, n));
  }

  nextWindow() {
    this.preset((Number(byId("window").value) + 1) % WINDOWS.length);
  }

  dragWindow(pane, drag, dx, dy) {
    const [low, high] = drag.window;
    const width = Math.max(8, high - low + dx * 0.6);
    const level = (high + low) / 2 + dy * 0.6;
    this.setWindow(pane.image.name, level - width / 2, level + width / 2);
  }

  toggle(what) {
    this[what] = !this[what];
    this.redraw();
  }

  nextFill() {
    this.fill = FILLS[(FILLS.indexOf(this.fill) + 1) % FILLS.length] ?? FILLS[0];
    this.shown = true;
    byId("opacity").value = String(Math.round(this.fill * 100));
    this.redraw();
  }

  async toggleUncertainty() {
    if (!this.state.uncertainty) return this.say("The outline was corrected by a reader; it has no uncertainty of its own.");
    this.uncertain = !this.uncertain;
    byId("uncertainty").setAttribute("aria-pressed", String(this.uncertain));
    await Promise.all(this.visible().map((pane) => this.layUncertainty(pane)));
    return this.redraw();
  }

  async layUncertainty(pane) {
    if (!this.uncertain || !pane.image?.own) return pane.setShadow(null);
    const { volume } = await this.images.get(this.state.uncertainty, "uncertainty", null);
    Object.assign(volume, { cal_min: 40, cal_max: 255, colormap: "inferno" });
    return pane.setShadow(volume, 0.6);
  }

  // --- correcting -----------------------------------------------------------------------------------------

  choose(mode) {
    this.tools.choose(mode);
    document.body.dataset.tool = mode;
    for (const name of TOOLS) byId(`tool-${name}`).setAttribute("aria-pressed", String(name === mode));
    this.redraw();
  }

  paintWith(value) {
    const { unseen, name } = this.state.classes.find((c) => c.value === value);
    if (unseen) return this.say(`${name} cannot be seen in this study: ${unseen}.`);
    this.tools.value = value;
    if (["look", "erase", "lines"].includes(this.tools.mode)) this.choose("brush");
    return showVolumes(this);
  }

  resize(step) {
    const { tools } = this;
    if (tools.mode === "lasso") tools.thickness = Math.min(60, Math.max(1, tools.thickness + 2 * step));
    else if (tools.mode === "fill") tools.tolerance = Math.min(120, Math.max(2, tools.tolerance + 2 * step));
    else tools.radius = Math.min(30, Math.max(0.5, tools.radius * (step > 0 ? 1.25 : 0.8)));
    this.showSizes();
    if (tools.mode === "fill") tools.refill();
    this.redraw();
  }

  showSizes() {
    const { radius, thickness, tolerance, reach } = this.tools;
    for (const [id, value] of Object.entries({ radius, thickness, tolerance, reach })) {
      byId(id).value = String(value);
      byId(`${id}-said`).textContent = id === "tolerance" ? String(Math.round(value)) : `${Number(value.toFixed(1))} mm`;
    }
  }

  toggleBall() {
    this.tools.ball = !this.tools.ball;
    byId("ball").checked = this.tools.ball;
  }

  undo() {
    if (this.outline.undo()) this.painted();
  }

  redo() {
    if (this.outline.redo()) this.painted();
  }

  painted() {
    this.stale = true;
    this.changed();
  }

  changed() {
    showVolumes(this);
    showLesions(this);
    showButtons(this);
    this.redraw();
  }

  isChanged() {
    return this.outline.changed || this.lines.changed;
  }

  // --- lesions, versions, decisions -----------------------------------------------------------------------

  toLesion(n) {
    this.lesion = n;
    this.goTo(this.state.numbers.lesions[n].centre);
    const pair = this.lines.pairs.find((p) => p.lesion === this.state.numbers.lesions[n].number);
    if (pair) this.goTo(this.grid.toVoxel([0, 1, 2].map((a) => (pair.longest[0][a] + pair.longest[1][a]) / 2)));
    showLesions(this);
  }

  nextLesion(step) {
    const count = this.state.numbers.lesions.length;
    if (count) this.toLesion((this.lesion + step + count) % count);
  }

  async save() {
    if (!this.isChanged() || this.busy) return false;
    return this.work("Saving and measuring", async () => {
      const bytes = new Uint8Array(this.header.length + this.outline.labels.length);
      bytes.set(this.header);
      bytes.set(this.outline.labels, this.header.length);
      const content = { base: this.state.token, mask: await packed(bytes), by_hand: this.lines.byHand(), comment: byId("comment").value };
      const said = await send("POST", `/room/${this.key}/edits`, content);
      this.outline.markSaved();
      Object.assign(this.state, { token: said.token, numbers: said.numbers, edits: [said.edit, ...this.state.edits] });
      this.state.outline = { number: said.edit.number, state: "draft" };
      this.lines.load(said.numbers.lesions);
      byId("comment").value = "";
      this.say(`Saved as version ${said.edit.number} and measured.`);
      return true;
    });
  }

  async decide(state) {
    if (this.busy || (this.isChanged() && !(await this.save()))) return;
    await this.work("Deciding", async () => {
      const content = { base: this.state.token, state, comment: byId("comment").value };
      const said = await send("POST", `/room/${this.key}/decision`, content);
      byId("comment").value = "";
      const next = await askJson(`/room/${this.key}/state`);
      const shownBefore = this.state.outline.number;
      this.take(next);
      if (next.outline.number !== shownBefore && state === "rejected") await this.reload();
      const pool = said.pool ? " It may train the next network." : "";
      this.say(`Version ${said.edit.number} ${state}.${said.renewed ? " Verdicts and report are made anew." : ""}${pool}`);
      this.watch();
    });
  }

  // Show the outline that holds now, in the place of the one that was painted on.
  async reload() {
    await this.loadOutline();
    for (const pane of this.panes) if (pane.image?.own) pane.setLabels(this.outline.labels);
  }

  async teach(allowed) {
    await this.work("Keeping", async () => {
      const said = await send("PUT", `/room/${this.key}/teaching`, { allowed });
      this.state.study.teaching = said.teaching;
      this.say(said.teaching ? "Accepted corrections of this study may train networks." : "This study trains no network; copies were removed.");
    });
  }

  // Do something that asks the server; a refusal is told, and nothing painted is lost.
  async work(words, act) {
    this.busy = true;
    this.say(`${words} …`);
    showButtons(this);
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.status === 409) this.conflict(error.said.by);
      else this.say(`Not done: ${error.message}.`, true);
      return false;
    } finally {
      this.busy = false;
      this.show();
    }
  }

  conflict(by) {
    byId("conflict-by").textContent = by;
    byId("conflict").showModal();
    this.say(`Not saved: ${by} was faster.`, true);
  }

  async takeTheirs() {
    this.take(await askJson(`/room/${this.key}/state`));
    await this.reload();
    this.say("The newest version is shown.");
    this.show();
  }

  // Ask how far the run is, until it is done; then show what it made.
  watch() {
    clearTimeout(this.timer);
    const { job } = this.state;
    showJob(job);
    if (!job?.waiting) return;
    this.timer = setTimeout(async () => {
      const now = await askJson(`/room/${this.key}/progress`).catch(() => job);
      this.state.job = now;
      if (!now?.waiting) await this.renewed();
      this.watch();
    }, POLL_MS);
  }

  async renewed() {
    const next = await askJson(`/room/${this.key}/state`);
    const { numbers, verdicts, token, edits, job, study } = next;
    if (this.isChanged()) Object.assign(this.state, { verdicts, job, study });
    else {
      Object.assign(this.state, { numbers, verdicts, token, edits, job, study });
      this.lines.load(numbers.lesions);
    }
    this.say(job?.state === "done" ? "Verdicts and report hold the outline that was accepted." : "The run needs attention.", job?.state !== "done");
    this.show();
  }

  show() {
    showLesions(this);
    showVolumes(this);
    showVerdicts(this);
    showVersions(this);
    showButtons(this);
    this.showSizes();
    const told = this.state.warnings.join("; ");
    if (told) this.say(told, true);
    this.redraw();
  }

  say(words, grave = false) {
    const place = byId("said");
    place.textContent = words;
    place.classList.toggle("grave", grave);
  }

  help() {
    byId("help").showModal();
  }
}

function connect(room) {
  const on = (id, event, act) => byId(id)?.addEventListener(event, act);
  for (const name of TOOLS) on(`tool-${name}`, "click", () => room.choose(name));
  on("layout", "change", (event) => room.arrange(event.target.value));
  on("others", "change", (event) => {
    room.other = room.state.others.find((o) => o.key === event.target.value);
    room.arrange("compare");
  });
  on("window", "change", (event) => room.preset(Number(event.target.value)));
  on("opacity", "input", (event) => Object.assign(room, { fill: event.target.value / 100, shown: true }) && room.redraw());
  on("uncertainty", "click", () => room.toggleUncertainty());
  for (const id of ["radius", "thickness", "tolerance", "reach"])
    on(id, "input", (event) => {
      room.tools[id] = Number(event.target.value);
      room.showSizes();
      if (id === "tolerance" || id === "reach") room.tools.refill();
      room.redraw();
    });
  on("ball", "change", (event) => Object.assign(room.tools, { ball: event.target.checked }));
  on("undo", "click", () => room.undo());
  on("redo", "click", () => room.redo());
  on("save", "click", () => room.save());
  on("accept", "click", () => room.decide("accepted"));
  on("reject", "click", () => room.decide("rejected"));
  on("teaching", "change", (event) => room.teach(event.target.checked));
  on("show-help", "click", () => room.help());
  on("theirs", "click", () => room.takeTheirs());
  room.panes.forEach((pane) => {
    const [select, plane] = pane.root.querySelectorAll("select");
    select.addEventListener("change", () => room.fillPane(pane, { name: select.value, other: pane.image.study, plane: pane.plane }).then(() => room.redraw()));
    plane.addEventListener("change", () => {
      pane.setPlane(Number(plane.value));
      room.redraw();
    });
  });
  window.addEventListener("beforeunload", (event) => room.isChanged() && event.preventDefault());
  listen(room);
}

async function main() {
  WINDOWS.forEach(([name], n) => byId("window").append(element("option", { value: String(n) }, name)));
  writeHelp(byId("help-keys"));
  const state = await askJson(`/room/${document.body.dataset.study}/state`);
  performance.mark("state");
  const room = new Room(state);
  window.room = room; // for tests, and for who is curious
  try {
    await room.start();
  } finally {
    connect(room);
  }
  room.choose("look");
  room.focus(room.panes[0]);
  const asked = new URLSearchParams(location.search).get("beside");
  if (asked && state.others.some((o) => o.key === asked)) {
    room.other = state.others.find((o) => o.key === asked);
    room.arrange("compare");
  }
}

main().catch((error) => {
  byId("said").textContent = `The viewer could not be opened: ${error.message}`;
  byId("said").classList.add("grave");
  throw error;
});
