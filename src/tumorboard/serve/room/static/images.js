// Images by study and sequence, each fetched once; a view borrows them.

import { askBytes } from "./api.js";

const HEADER = 352;

export class Images {
  constructor() {
    this.coming = new Map();
  }

  get(url, name, study) {
    if (!this.coming.has(url)) this.coming.set(url, this.#fetch(url, name, study));
    return this.coming.get(url);
  }

  async #fetch(url, name, study) {
    const buffer = await askBytes(url);
    const volume = await niivue.NVImage.loadFromUrl({
      url: buffer, name: `${name}.nii`, colormap: "gray", trustCalMinMax: true, cal_min: 0, cal_max: 255,
    });
    const greys = new Uint8Array(buffer, HEADER);
    return { name, study, own: study === null, volume, greys, usual: usualWindow(greys) };
  }

  // Labels alone; the header is kept, for it is sent back with them.
  static async labels(url) {
    const buffer = await askBytes(url);
    return { header: new Uint8Array(buffer.slice(0, HEADER)), labels: new Uint8Array(buffer.slice(HEADER)) };
  }
}

// Greys between which the usual window spreads: most of the brain, with a little room above.
function usualWindow(greys) {
  const counts = new Uint32Array(256);
  for (let n = 0; n < greys.length; n += 13) counts[greys[n]] += 1;
  counts[0] = 0;
  const all = counts.reduce((a, b) => a + b, 0);
  const at = (share) => {
    let sum = 0;
    return counts.findIndex((count) => (sum += count) >= share * all);
  };
  const [low, high] = [at(0.01), at(0.995)];
  return [Math.max(0, low - 8), Math.min(255, high + 0.2 * (high - low))];
}

// Greys of ours run from 0 to 255; NiiVue need not look at every voxel to learn that.
niivue.NVImage.prototype.calMinMax = function known() {
  Object.assign(this, { cal_min: 0, cal_max: 255, robust_min: 0, robust_max: 255, global_min: 0, global_max: 255 });
  return [0, 255, 0, 255];
};
