// The keyboard: one table, from which keys work and the help is written.

export const KEYS = [
  ["Look", [
    ["ArrowUp", "next slice", (room) => room.scrollFocus(1)],
    ["ArrowDown", "previous slice", (room) => room.scrollFocus(-1)],
    ["j", "next lesion", (room) => room.nextLesion(1)],
    ["k", "previous lesion", (room) => room.nextLesion(-1)],
    ["g", "views: sequences, three planes, compared", (room) => room.nextLayout()],
    ["x", "plane: axial, coronal, sagittal", (room) => room.nextPlane()],
    ["c", "compare with another study", (room) => room.nextOther()],
    ["w", "window preset", (room) => room.nextWindow()],
    ["+", "nearer", (room) => room.setZoom(room.zoom * 1.25)],
    ["-", "farther", (room) => room.setZoom(room.zoom / 1.25)],
    ["0", "whole head, usual window", (room) => room.reset()],
  ]],
  ["Show", [
    ["o", "outline on or off", (room) => room.toggle("shown")],
    ["i", "outline filled more", (room) => room.nextFill()],
    ["u", "uncertainty on or off", (room) => room.toggleUncertainty()],
    ["h", "cross-hair on or off", (room) => room.toggle("crosshair")],
    ["d", "diameters on or off", (room) => room.toggle("showLines")],
  ]],
  ["Correct", [
    ["n", "look (no tool)", (room) => room.choose("look")],
    ["b", "brush", (room) => room.choose("brush")],
    ["e", "eraser", (room) => room.choose("erase")],
    ["l", "lasso through slices (Alt: erase)", (room) => room.choose("lasso")],
    ["f", "smart fill", (room) => room.choose("fill")],
    ["m", "move the ends of diameters", (room) => room.choose("lines")],
    ["1", "NETC", (room) => room.paintWith(1)],
    ["2", "SNFH", (room) => room.paintWith(2)],
    ["3", "ET", (room) => room.paintWith(3)],
    ["4", "RC", (room) => room.paintWith(4)],
    ["[", "smaller", (room) => room.resize(-1)],
    ["]", "larger", (room) => room.resize(1)],
    ["v", "brush as a ball", (room) => room.toggleBall()],
    ["Control+z", "undo", (room) => room.undo()],
    ["Control+y", "redo", (room) => room.redo()],
  ]],
  ["Decide", [
    ["Control+s", "save as a new version", (room) => room.save()],
    ["A", "accept", (room) => room.decide("accepted")],
    ["R", "reject", (room) => room.decide("rejected")],
    ["?", "this list", (room) => room.help()],
  ]],
];

const SHOWN = { ArrowUp: "↑", ArrowDown: "↓", A: "Shift A", R: "Shift R" };
const ACTIONS = new Map(KEYS.flatMap(([, rows]) => rows.map(([key, , act]) => [key, act])));

export function listen(room) {
  document.addEventListener("keydown", (event) => {
    const inText = event.target.matches("textarea, input[type=text], select");
    if (inText || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return;
    if (event.target.matches("input[type=range]") && event.key.startsWith("Arrow")) return;
    const name = event.ctrlKey ? `Control+${event.shiftKey && event.key.toLowerCase() === "z" ? "y" : event.key.toLowerCase()}` : event.key;
    const act = ACTIONS.get(name);
    if (!act) return;
    event.preventDefault();
    act(room);
  });
}

export function writeHelp(root) {
  for (const [title, rows] of KEYS) {
    const part = document.createElement("section");
    part.append(Object.assign(document.createElement("h3"), { textContent: title }));
    const list = document.createElement("dl");
    for (const [key, words] of rows) {
      const shown = SHOWN[key] ?? key.replace("Control+", "Ctrl ").replace(/ (\w)$/, (_, k) => ` ${k.toUpperCase()}`);
      const term = document.createElement("dt");
      term.append(Object.assign(document.createElement("kbd"), { textContent: shown.length === 1 ? shown.toUpperCase() : shown }));
      list.append(term, Object.assign(document.createElement("dd"), { textContent: words }));
    }
    part.append(list);
    root.append(part);
  }
}
