// The working grid: voxels (i, j, k) towards right, front and top; world positions in RAS mm through its affine.

export const PLANES = [
  { name: "axial", axis: 2, across: 0, up: 1 },
  { name: "coronal", axis: 1, across: 0, up: 2 },
  { name: "sagittal", axis: 0, across: 1, up: 2 },
];

export class Grid {
  constructor({ shape, affine, spacing_mm }) {
    this.shape = shape;
    this.spacing = spacing_mm;
    this.affine = affine;
    this.inverse = inverse(affine);
    this.size = shape[0] * shape[1] * shape[2];
    this.voxelMl = (spacing_mm[0] * spacing_mm[1] * spacing_mm[2]) / 1000;
  }

  index(i, j, k) {
    return i + this.shape[0] * (j + this.shape[1] * k);
  }

  place(index) {
    const [ni, nj] = this.shape;
    return [index % ni, Math.floor(index / ni) % nj, Math.floor(index / (ni * nj))];
  }

  holds(voxel) {
    return voxel.every((v, a) => v >= 0 && v < this.shape[a]);
  }

  toWorld(voxel) {
    return apply(this.affine, voxel);
  }

  toVoxel(world) {
    return apply(this.inverse, world);
  }

  toFraction(voxel) {
    return voxel.map((v, a) => (v + 0.5) / this.shape[a]);
  }

  fromFraction(fraction) {
    return Array.from(fraction).slice(0, 3).map((f, a) => f * this.shape[a] - 0.5);
  }

  nearest(voxel) {
    return voxel.map((v, a) => Math.min(this.shape[a] - 1, Math.max(0, Math.round(v))));
  }
}

function apply(matrix, p) {
  return [0, 1, 2].map((r) => matrix[r][0] * p[0] + matrix[r][1] * p[1] + matrix[r][2] * p[2] + matrix[r][3]);
}

function inverse(m) {
  const c = (r, s) => {
    const rows = [0, 1, 2].filter((x) => x !== r);
    const columns = [0, 1, 2].filter((x) => x !== s);
    const minor = m[rows[0]][columns[0]] * m[rows[1]][columns[1]] - m[rows[0]][columns[1]] * m[rows[1]][columns[0]];
    return (r + s) % 2 ? -minor : minor;
  };
  const det = m[0][0] * c(0, 0) + m[0][1] * c(0, 1) + m[0][2] * c(0, 2);
  const turned = [0, 1, 2].map((r) => [0, 1, 2].map((s) => c(s, r) / det));
  return turned.map((row) => [...row, -(row[0] * m[0][3] + row[1] * m[1][3] + row[2] * m[2][3])]);
}

export function distance(a, b) {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}
