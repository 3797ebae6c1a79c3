// NiiVue 0.69 colours a volume slice by slice on the graphics card, from a copy of it, into four bytes a voxel, and
// computes gradients for 3-D rendering that we never show. Without a graphics card that takes seconds for each view.
// Here the processor spreads the greys over the window and hands over one byte a voxel; everything else stays NiiVue's.

const TEXTURE0_BACK_VOL = 33984;
const TEXTURE7_DRAW = TEXTURE0_BACK_VOL + 7;
// Programs for meshes, ray casting, gradients, growing regions, and images of other kinds than ours, by words of theirs.
// NiiVue translates 48 programs for each view, and the processor compiles them all; these become empty ones.
const NEVER_DRAWN = new RegExp([
  "\\bin vec4 vClr\\b", "uniform vec3 rayDir", "uniform float dX\\b", "strengthTex", "uint alpha",
  "highp i?sampler3D intensityVol", "sampler2D volume", "circleColor", "bmpTexture",
].join("|"));
const EMPTY = "#version 300 es\nprecision lowp float;\nout vec4 color;\nvoid main() { color = vec4(0.0); }";
const NOT_DONE = ["drawArrays", "framebufferTextureLayer", "texStorage3D", "texSubImage3D"];

export function makeSwift(nv) {
  const { gl } = nv;
  const refresh = nv.refreshLayers.bind(nv);
  let idle = false;
  for (const name of NOT_DONE) {
    const go = gl[name].bind(gl);
    gl[name] = (...given) => (idle ? undefined : go(...given));
  }
  const status = gl.checkFramebufferStatus.bind(gl);
  gl.checkFramebufferStatus = (target) => (idle ? gl.FRAMEBUFFER_COMPLETE : status(target));
  nv.refreshLayers = (volume, layer) => {
    if (layer > 0) return refresh(volume, layer);
    idle = true;
    try {
      refresh(volume, layer);
    } finally {
      idle = false;
    }
    return colour(nv, volume);
  };
}

// To be called before NiiVue takes the canvas.
export function withFewPrograms(canvas) {
  const gl = canvas.getContext("webgl2", { alpha: true, antialias: false });
  if (!gl) return; // NiiVue says so itself
  const source = gl.shaderSource.bind(gl);
  gl.shaderSource = (shader, text) => source(shader, NEVER_DRAWN.test(text) ? EMPTY : text);
}

// Make room for labels on the graphics card; NiiVue would fill it with zeros twice, and keep them for an undo of its own.
export function roomForLabels(nv) {
  nv.drawTexture = nv.r8Tex(nv.drawTexture, TEXTURE7_DRAW, nv.back.dims);
}

function colour(nv, volume) {
  const { gl } = nv;
  const [, ni, nj, nk] = volume.dimsRAS;
  const table = greyTable(volume.cal_min, volume.cal_max);
  const greys = volume.img;
  const shown = new Uint8Array(ni * nj * nk);
  for (let n = 0; n < shown.length; n++) shown[n] = table[greys[n]];
  gl.activeTexture(TEXTURE0_BACK_VOL);
  gl.bindTexture(gl.TEXTURE_3D, nv.volumeTexture); // NiiVue made it anew, without room for voxels
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  gl.texImage3D(gl.TEXTURE_3D, 0, gl.LUMINANCE, ni, nj, nk, 0, gl.LUMINANCE, gl.UNSIGNED_BYTE, shown);
}

// What is shown for each grey; what lies outside the head stays black.
function greyTable(low, high) {
  const table = new Uint8Array(256);
  for (let grey = 1; grey < 256; grey++) {
    table[grey] = Math.round(255 * Math.min(1, Math.max(0, (grey - low) / Math.max(1, high - low))));
  }
  return table;
}
