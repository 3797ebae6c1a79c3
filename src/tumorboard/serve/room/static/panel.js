// The panel beside the views: lesions, volumes, verdicts, versions, decisions. It shows what the room knows; no more.

const NAMES = { draft: "draft", accepted: "accepted", rejected: "rejected" };

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const byId = (id) => document.getElementById(id);
const ml = (value) => (value === null || value === undefined ? "–" : value.toFixed(value < 10 ? 2 : 1));

export function day(text) {
  return text && text.length === 8 ? `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}` : text || "no date";
}

export function showLesions(room) {
  const { lesions } = room.state.numbers;
  const rows = lesions.map((lesion, n) => {
    const pair = room.lines.pairs.find((p) => p.lesion === lesion.number);
    const size = pair ? room.lines.lengths(pair).map((mm) => mm.toFixed(1)).join(" × ") + " mm" : "no diameters";
    const hand = pair && (pair.moved || pair.hand) ? element("span", { class: "hand", title: "drawn by a reader" }, "by hand") : null;
    const small = lesion.measurable === "no" ? element("span", { class: "small" }, "not measurable") : null;
    const row = element("button", { type: "button", class: "lesion", "aria-pressed": String(room.lesion === n), onclick: () => room.toLesion(n) },
      element("b", {}, String(lesion.number)), element("span", {}, size), element("span", { class: "number" }, `${ml(lesion.volume_ml)} mL`), hand, small);
    return element("li", {}, row);
  });
  byId("lesions").replaceChildren(...(rows.length ? rows : [element("li", { class: "quiet" }, "No lesion was found. That is not the same as none being there.")]));
}

export function showVolumes(room) {
  const rows = room.state.classes.map(({ value, name, title, unseen }) => {
    const now = room.outline.volume(value);
    const change = now - room.before[value];
    const said = Math.abs(change) > 5e-4 ? `${change > 0 ? "+" : "−"}${Math.abs(change).toFixed(2)}` : "";
    const chosen = room.tools.value === value;
    const pick = element("button", { type: "button", class: `class c${value}`, "aria-pressed": String(chosen), disabled: Boolean(unseen), title: unseen ? `${title}: ${unseen}` : title, onclick: () => room.paintWith(value) },
      element("i", { "aria-hidden": "true" }), `${name} `, element("kbd", { "aria-hidden": "true" }, String(value)));
    return element("tr", {}, element("th", { scope: "row" }, pick), element("td", { id: `volume-${name}`, class: "number" }, unseen ? "–" : now.toFixed(2)), element("td", { class: "number change" }, said));
  });
  byId("volumes").replaceChildren(...rows);
}

export function showVerdicts(room) {
  const { verdicts } = room.state;
  const rows = verdicts.map((v) => element("li", { title: v.reason }, element("span", {}, v.title), element("b", { class: `v-${v.category}` }, v.category)));
  byId("verdicts").replaceChildren(...(rows.length ? rows : [element("li", { class: "quiet" }, "Not judged: a single study, or none aligned.")]));
}

export function showVersions(room) {
  const { edits, outline, method } = room.state;
  const rows = edits.map((edit) => element("li", { class: `edit ${edit.state}` },
    element("b", {}, `${edit.number}`),
    element("span", {}, `${edit.author}, ${edit.at.slice(0, 16).replace("T", " ")}`, edit.comment ? element("q", {}, edit.comment) : null),
    element("span", { class: "state" }, NAMES[edit.state])));
  rows.push(element("li", { class: "edit method" }, element("b", {}, "0"), element("span", {}, method.id === "corrected" ? method.version : `${method.id} ${method.version}`), element("span", { class: "state" }, outline.number === 0 ? "shown" : "method")));
  byId("versions").replaceChildren(...rows);
}

export function showButtons(room) {
  const changed = room.isChanged();
  byId("save").disabled = !changed || room.busy;
  byId("undo").disabled = !room.outline.done.length;
  byId("redo").disabled = !room.outline.undone.length;
  for (const id of ["accept", "reject"]) byId(id).disabled = room.busy;
  byId("unsaved").hidden = !changed;
  const edit = room.state.edits[0];
  const decided = edit && edit.state !== "draft" && !changed;
  byId("standing").textContent = decided ? `Version ${edit.number} was ${edit.state} by ${edit.author}.` : changed ? "You changed the outline." : edit ? `Version ${edit.number} is a draft by ${edit.author}.` : "As the method outlined it; nobody has decided yet.";
}

export function showJob(job) {
  const bar = byId("progress");
  const waiting = Boolean(job?.waiting);
  bar.hidden = !waiting;
  byId("job").hidden = !waiting && job?.state !== "attention";
  if (waiting) bar.value = job.step / job.steps;
  const stage = job?.stage ? `: ${job.stage}` : "";
  byId("job").textContent = !job ? "" : job.state === "attention" ? `The results could not be made anew: ${job.reason}` : job.state === "queued" ? (job.worker ? "Verdicts and report wait to be made anew." : "Verdicts and report wait: no worker is running.") : `Verdicts and report are being made anew${stage}.`;
}
