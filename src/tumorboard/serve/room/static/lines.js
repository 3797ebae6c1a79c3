// Diameters as lines whose ends can be moved. Ends are world positions in mm; lengths are from end to end.

import { distance } from "./grid.js";

const READINGS = ["ce_only", "flair", "filled"];
const NEAR_PIXELS = 10;

export class Lines {
  constructor(grid, lesions) {
    this.grid = grid;
    this.held = null;
    this.load(lesions);
  }

  load(lesions) {
    this.changed = false;
    this.pairs = lesions.flatMap((lesion) => {
      const reading = READINGS.find((name) => name in lesion.diameters);
      if (!reading) return [];
      const told = lesion.diameters[reading];
      return [{ lesion: lesion.number, reading, hand: told.by_hand, thick: told.slice_mm, told,
        longest: told.longest, perpendicular: told.perpendicular }];
    });
  }

  // Lengths of a pair in mm: as measured until a hand moved an end.
  lengths(pair) {
    if (!pair.moved) return [pair.told.longest_mm, pair.told.perpendicular_mm];
    return [distance(...pair.longest), distance(...pair.perpendicular)];
  }

  // What a reader drew, as the server wants it.
  byHand() {
    return this.pairs.filter((pair) => pair.hand || pair.moved).map((pair) => (
      { reading: pair.reading, longest_mm: pair.longest, perpendicular_mm: pair.perpendicular }));
  }

  // Pairs that lie in a slice.
  on(plane, cursor) {
    const { axis } = plane;
    return this.pairs.filter((pair) => [...pair.longest, ...pair.perpendicular].every((end) => {
      const away = Math.abs(this.grid.toVoxel(end)[axis] - cursor[axis]) * this.grid.spacing[axis];
      return away <= Math.max(pair.thick / 2, 0.6 * this.grid.spacing[axis]) + 1e-3;
    }));
  }

  // Take the end nearest to a position on the canvas, if one is near.
  take(pane, tile, plane, cursor, at) {
    this.held = null;
    let nearest = NEAR_PIXELS * (window.devicePixelRatio || 1);
    for (const pair of this.on(plane, cursor))
      for (const which of ["longest", "perpendicular"])
        [0, 1].forEach((end) => {
          const there = pane.toCanvas(this.grid.toVoxel(pair[which][end]), tile);
          const away = there ? Math.hypot(there[0] - at[0], there[1] - at[1]) : Infinity;
          if (away < nearest) {
            nearest = away;
            this.held = { pair, which, end };
          }
        });
    return this.held !== null;
  }

  move(voxel) {
    const { pair, which, end } = this.held;
    const depth = this.grid.toVoxel(pair[which][end]);
    const ends = pair[which].map((e) => [...e]);
    ends[end] = this.grid.toWorld(voxel.map((v, a) => (a === this.held.axis ? depth[a] : v)));
    pair[which] = ends;
    pair.moved = true;
    this.changed = true;
  }
}

export function paintLines(lines, pane, tile, plane, cursor, pen, handles) {
  const ratio = window.devicePixelRatio || 1;
  for (const pair of lines.on(plane, cursor)) {
    const colour = pair.moved || pair.hand ? "#ffb454" : "#7fd4ee";
    for (const which of ["longest", "perpendicular"]) {
      const [a, b] = pair[which].map((end) => pane.toCanvas(lines.grid.toVoxel(end), tile));
      if (!a || !b) continue;
      pen.beginPath();
      pen.moveTo(...a);
      pen.lineTo(...b);
      pen.lineWidth = 4 * ratio;
      pen.strokeStyle = "rgb(11 13 16 / 70%)"; // so that it is seen on bright tumour
      pen.stroke();
      pen.lineWidth = 1.6 * ratio;
      pen.strokeStyle = colour;
      pen.setLineDash(which === "longest" ? [] : [5 * ratio, 3 * ratio]);
      pen.stroke();
      pen.setLineDash([]);
      if (handles)
        for (const end of [a, b]) {
          pen.beginPath();
          pen.arc(end[0], end[1], 4 * ratio, 0, 2 * Math.PI);
          pen.fillStyle = "#0b0d10";
          pen.fill();
          pen.stroke();
        }
      if (which === "longest") label(pen, lines.lengths(pair), a, b, colour, ratio);
    }
  }
}

function label(pen, [long, wide], a, b, colour, ratio) {
  const text = `${long.toFixed(1)} × ${wide.toFixed(1)} mm`;
  const right = a[0] > b[0] ? a : b;
  pen.font = `600 ${12 * ratio}px system-ui, sans-serif`;
  const width = pen.measureText(text).width;
  pen.fillStyle = "rgb(11 13 16 / 75%)";
  pen.fillRect(right[0] + 8 * ratio, right[1] - 9 * ratio, width + 8 * ratio, 18 * ratio);
  pen.fillStyle = colour;
  pen.textBaseline = "middle";
  pen.fillText(text, right[0] + 12 * ratio, right[1]);
}
