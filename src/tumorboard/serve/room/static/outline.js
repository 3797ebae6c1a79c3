// The outline that is painted: one byte a voxel. Every stroke can be undone; nothing here knows of a screen.

const KEPT_STROKES = 60;

export class Outline {
  constructor(grid, labels) {
    this.grid = grid;
    this.labels = labels;
    this.counts = countOf(labels);
    this.done = [];
    this.undone = [];
    this.stroke = null;
    this.next = 1; // every stroke has a number of its own, so that "changed" survives undo and redo
    this.floor = 0;
    this.saved = 0;
  }

  get at() {
    return this.done.at(-1)?.number ?? this.floor;
  }

  // Volume of a class in mL.
  volume(value) {
    return this.counts[value] * this.grid.voxelMl;
  }

  get changed() {
    return this.at !== this.saved;
  }

  markSaved() {
    this.saved = this.at;
  }

  begin() {
    this.stroke = new Map();
  }

  set(index, value) {
    const before = this.labels[index];
    if (before === value) return;
    if (!this.stroke.has(index)) this.stroke.set(index, before);
    this.labels[index] = value;
    this.counts[before] -= 1;
    this.counts[value] += 1;
  }

  // End a stroke; true where it changed anything.
  end() {
    const stroke = this.stroke;
    this.stroke = null;
    if (!stroke || !stroke.size) return false;
    const indices = Uint32Array.from(stroke.keys());
    const before = Uint8Array.from(stroke.values());
    const after = Uint8Array.from(indices, (i) => this.labels[i]);
    this.done.push({ indices, before, after, number: this.next++ });
    if (this.done.length > KEPT_STROKES) this.floor = this.done.shift().number;
    this.undone = [];
    return true;
  }

  undo() {
    const stroke = this.done.pop();
    if (!stroke) return false;
    this.#put(stroke.indices, stroke.before);
    this.undone.push(stroke);
    return true;
  }

  redo() {
    const stroke = this.undone.pop();
    if (!stroke) return false;
    this.#put(stroke.indices, stroke.after);
    this.done.push(stroke);
    return true;
  }

  #put(indices, values) {
    indices.forEach((index, n) => {
      this.counts[this.labels[index]] -= 1;
      this.labels[index] = values[n];
      this.counts[values[n]] += 1;
    });
  }

  // A disc in a plane, or a ball, of a radius in mm around a voxel.
  dab(centre, radius, plane, ball, value) {
    const reach = this.grid.spacing.map((s, a) => (!ball && a === plane.axis ? 0 : Math.ceil(radius / s)));
    const [low, high] = [0, 1].map((side) =>
      centre.map((c, a) => Math.max(0, Math.min(this.grid.shape[a] - 1, c + (side ? reach[a] : -reach[a])))));
    const [si, sj, sk] = this.grid.spacing;
    for (let k = low[2]; k <= high[2]; k++)
      for (let j = low[1]; j <= high[1]; j++)
        for (let i = low[0]; i <= high[0]; i++) {
          const away = Math.hypot((i - centre[0]) * si, (j - centre[1]) * sj, (k - centre[2]) * sk);
          if (away <= radius) this.set(this.grid.index(i, j, k), value);
        }
  }

  // Dabs along the way from one voxel to another, so that a fast hand leaves no gaps.
  drag(from, to, radius, plane, ball, value) {
    const steps = Math.max(1, ...from.map((v, a) => Math.abs(to[a] - v)));
    for (let n = 0; n <= steps; n++) {
      const at = from.map((v, a) => Math.round(v + ((to[a] - v) * n) / steps));
      this.dab(at, radius, plane, ball, value);
    }
  }

  // Everything inside a closed line on a slice, and on as many slices on both sides as lie within half a thickness.
  lasso(points, plane, thickness, value) {
    const { axis, across, up } = plane;
    const spread = Math.floor(thickness / 2 / this.grid.spacing[axis]);
    const middle = Math.round(points[0][axis]);
    const us = points.map((p) => p[across]);
    const vs = points.map((p) => p[up]);
    const clip = (x, a) => Math.max(0, Math.min(this.grid.shape[a] - 1, x));
    const slices = [];
    for (let s = clip(middle - spread, axis); s <= clip(middle + spread, axis); s++) slices.push(s);
    for (let v = clip(Math.ceil(Math.min(...vs)), up); v <= clip(Math.floor(Math.max(...vs)), up); v++)
      for (let u = clip(Math.ceil(Math.min(...us)), across); u <= clip(Math.floor(Math.max(...us)), across); u++)
        if (inside(u, v, us, vs))
          for (const s of slices) {
            const voxel = [0, 0, 0];
            voxel[axis] = s;
            voxel[across] = u;
            voxel[up] = v;
            this.set(this.grid.index(...voxel), value);
          }
  }

  // Grow from a voxel to neighbours of similar grey, not farther than a radius; ends at what is outlined otherwise.
  grow(seed, greys, tolerance, radius, value) {
    const { shape, spacing } = this.grid;
    const start = this.grid.index(...seed);
    const own = this.labels[start];
    const middle = meanAround(greys, this.grid, seed);
    const seen = new Set([start]);
    const queue = [seed];
    const found = [];
    while (queue.length) {
      const voxel = queue.pop();
      found.push(this.grid.index(...voxel));
      for (let a = 0; a < 3; a++)
        for (const step of [-1, 1]) {
          const next = [...voxel];
          next[a] += step;
          if (next[a] < 0 || next[a] >= shape[a]) continue;
          const index = this.grid.index(...next);
          if (seen.has(index)) continue;
          seen.add(index);
          const away = Math.hypot(...next.map((v, b) => (v - seed[b]) * spacing[b]));
          const free = this.labels[index] === own || this.labels[index] === value;
          if (away <= radius && free && greys[index] && Math.abs(greys[index] - middle) <= tolerance) queue.push(next);
        }
    }
    for (const index of found) this.set(index, value);
    return found.length;
  }
}

function countOf(labels) {
  const counts = [0, 0, 0, 0, 0];
  for (let n = 0; n < labels.length; n++) counts[labels[n]] += 1;
  return counts;
}

// Even-odd rule; a point is a voxel's centre.
function inside(u, v, us, vs) {
  let odd = false;
  for (let n = 0, m = us.length - 1; n < us.length; m = n++)
    if (vs[n] > v !== vs[m] > v && u < ((us[m] - us[n]) * (v - vs[n])) / (vs[m] - vs[n]) + us[n]) odd = !odd;
  return odd;
}

function meanAround(greys, grid, seed) {
  let sum = 0;
  let count = 0;
  for (let k = -1; k <= 1; k++)
    for (let j = -1; j <= 1; j++)
      for (let i = -1; i <= 1; i++) {
        const voxel = [seed[0] + i, seed[1] + j, seed[2] + k];
        if (!grid.holds(voxel)) continue;
        sum += greys[grid.index(...voxel)];
        count += 1;
      }
  return sum / count;
}
