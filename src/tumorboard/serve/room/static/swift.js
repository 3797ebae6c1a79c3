// NiiVue 0.69 colours a volume slice by slice on the graphics card, and computes gradients for 3-D rendering that we
// never show. Without a graphics card that takes seconds for each view. Here greys are coloured by the processor and
// handed over in one piece; everything else stays NiiVue's.

const TEXTURE0_BACK_VOL = 33984;
const NOT_DRAWN = ["drawArrays", "framebufferTextureLayer"];

export function makeSwift(nv) {
  const { gl } = nv;
  const refresh = nv.refreshLayers.bind(nv);
  const texture = nv.rgbaTex.bind(nv);
  let idle = false;
  for (const name of NOT_DRAWN) {
    const draw = gl[name].bind(gl);
    gl[name] = (...given) => (idle ? undefined : draw(...given));
  }
  const status = gl.checkFramebufferStatus.bind(gl);
  gl.checkFramebufferStatus = (target) => (idle ? gl.FRAMEBUFFER_COMPLETE : status(target));
  nv.rgbaTex = (old, unit, dims, empty) => texture(old, unit, idle && unit !== TEXTURE0_BACK_VOL ? [3, 2, 2, 2] : dims, empty);
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

function colour(nv, volume) {
  const { gl } = nv;
  const [, ni, nj, nk] = volume.dimsRAS;
  const table = greyTable(volume.cal_min, volume.cal_max);
  const colours = new Uint32Array(ni * nj * nk);
  const greys = volume.img;
  for (let n = 0; n < colours.length; n++) colours[n] = table[greys[n]];
  gl.activeTexture(TEXTURE0_BACK_VOL);
  gl.bindTexture(gl.TEXTURE_3D, nv.volumeTexture);
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  gl.texSubImage3D(gl.TEXTURE_3D, 0, 0, 0, 0, ni, nj, nk, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(colours.buffer));
}

// Colour of each grey, red in the lowest byte; what lies outside the head stays black.
function greyTable(low, high) {
  const table = new Uint32Array(256);
  for (let grey = 1; grey < 256; grey++) {
    const shown = Math.round(255 * Math.min(1, Math.max(0, (grey - low) / Math.max(1, high - low))));
    table[grey] = (255 << 24) | (shown << 16) | (shown << 8) | shown;
  }
  return table;
}
