// One view: NiiVue draws the image and the outline; a canvas above it takes the mouse and draws lines and tools.

import { PLANES } from "./grid.js";
import { makeSwift, roomForLabels, withFewPrograms } from "./swift.js";

const CROSS_MM = 0.9;
const COLOURS = { R: [0, 235, 76, 242, 91], G: [0, 87, 187, 190, 141], B: [0, 87, 140, 60, 239], A: [0, 255, 255, 255, 255] };
const OPTIONS = {
  backColor: [0, 0, 0, 1],
  crosshairColor: [0.38, 0.72, 0.86, 0.5],
  crosshairWidth: CROSS_MM,
  crosshairWidthUnit: "mm",
  crosshairGap: 14,
  isRadiologicalConvention: true,
  sagittalNoseLeft: true,
  isCornerOrientationText: false,
  isOrientationTextVisible: true,
  fontColor: [0.86, 0.88, 0.9, 1],
  fontSizeScaling: 0.4,
  fontMinPx: 15,
  showAllOrientationMarkers: true,
  isSliceMM: true,
  isNearestInterpolation: false,
  show3Dcrosshair: false,
  isColorbar: false,
  isRuler: false,
  dragAndDropEnabled: false,
  interactive: false,
  isAntiAlias: false,
  trustCalMinMax: true,
  loadingText: "",
  logLevel: "error",
};

export class Pane {
  constructor(root, room) {
    this.root = root;
    this.room = room;
    this.stage = root.querySelector(".stage");
    this.over = root.querySelector(".over");
    this.foot = root.querySelector(".foot");
    this.pen = this.over.getContext("2d");
    this.plane = 0;
    this.image = null;
    this.shadow = null;
    this.nv = new niivue.Niivue(OPTIONS);
    // NiiVue draws after each step; on a machine without a graphics card that is slow. We draw when all is set.
    this.paint = this.nv.drawScene.bind(this.nv);
    this.nv.drawScene = () => {};
    awayFromEdges(this.nv);
    // NiiVue empties the canvas when its place changes, a frame later than we hear of it.
    const resize = this.nv.resizeListener.bind(this.nv);
    this.nv.resizeListener = () => {
      resize();
      this.room.redraw();
    };
    const canvas = root.querySelector(".gl");
    withFewPrograms(canvas);
    this.ready = this.nv.attachToCanvas(canvas, false).then(() => {
      makeSwift(this.nv);
      this.nv.drawLut = niivue.cmapper.makeDrawLut({ ...COLOURS, labels: ["", "NETC", "SNFH", "ET", "RC"], I: [0, 1, 2, 3, 4] });
      this.nv.onLocationChange = () => {};
    });
    new ResizeObserver(() => this.resize()).observe(this.stage);
  }

  // Show an image (with the outline that belongs to it) instead of the last one.
  show(image, labels, [low, high]) {
    const { nv } = this;
    if (this.image) nv.removeVolume(this.image.volume);
    if (this.shadow) nv.removeVolume(this.shadow);
    this.shadow = null;
    this.image = image;
    Object.assign(image.volume, { cal_min: low, cal_max: high });
    nv.addVolume(image.volume);
    this.setLabels(labels);
    this.setPlane(this.plane);
  }

  setLabels(labels) {
    const { nv } = this;
    if (nv.drawBitmap?.length !== labels.length) roomForLabels(nv);
    nv.drawBitmap = labels;
    nv.clickToSegmentGrowingBitmap = null;
    nv.drawClearAllUndoBitmaps();
    nv.refreshDrawing(false);
  }

  refreshLabels() {
    if (this.image) this.nv.refreshDrawing(false);
  }

  setPlane(plane) {
    this.plane = plane;
    this.nv.setSliceType(plane);
  }

  // Lay another volume over the image; null takes it away.
  setShadow(volume, opacity) {
    if (this.shadow && this.shadow !== volume) this.nv.removeVolume(this.shadow);
    if (volume && this.shadow !== volume) this.nv.addVolume(volume);
    if (volume) volume._opacity = opacity;
    this.shadow = volume;
    if (volume) this.nv.updateGLVolume();
  }

  window(low, high) {
    if (!this.image) return;
    this.image.volume.cal_min = low;
    this.image.volume.cal_max = high;
    this.nv.updateGLVolume();
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    this.over.width = Math.round(this.stage.clientWidth * ratio);
    this.over.height = Math.round(this.stage.clientHeight * ratio);
    this.room.redraw();
  }

  draw() {
    const { nv, room } = this;
    if (!this.image) return;
    nv.scene.crosshairPos = room.grid.toFraction(room.cursor);
    nv.scene.pan2Dxyzmm = [...room.pan, room.zoom];
    nv.drawOpacity = room.shown ? Math.max(room.fill, 0.004) : 0;
    nv.drawRimOpacity = room.shown ? room.rim : -1;
    nv.opts.crosshairWidth = room.crosshair ? CROSS_MM : 0;
    this.paint();
    this.#drawOver();
  }

  // Which slice lies under the mouse: its plane, and the voxel there, with fractions.
  under(event) {
    const box = this.over.getBoundingClientRect();
    const ratio = this.nv.uiData.dpr || 1;
    const at = [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
    for (const tile of this.nv.screenSlices) {
      const [left, top, width, height] = tile.leftTopWidthHeight;
      if (tile.axCorSag > 2 || at[0] < left || at[1] < top || at[0] > left + width || at[1] > top + height) continue;
      const fraction = this.nv.canvasPos2frac(at);
      if (fraction[0] < 0) continue;
      const voxel = this.room.grid.fromFraction(fraction);
      const plane = PLANES[tile.axCorSag];
      voxel[plane.axis] = this.room.cursor[plane.axis];
      return { voxel, plane, tile };
    }
    return null;
  }

  // Where a voxel of a slice lies on the canvas, in its pixels.
  toCanvas(voxel, tile) {
    const at = [...voxel];
    at[PLANES[tile.axCorSag].axis] = this.room.cursor[PLANES[tile.axCorSag].axis];
    const found = this.nv.frac2canvasPosWithTile(this.room.grid.toFraction(at), tile.axCorSag);
    return found && found.pos;
  }

  tiles() {
    return this.nv.screenSlices.filter((tile) => tile.axCorSag <= 2);
  }

  #drawOver() {
    const { pen, over } = this;
    pen.clearRect(0, 0, over.width, over.height);
    for (const tile of this.tiles()) this.room.tools.paint(this, tile, pen);
    this.foot.textContent = this.room.describe(this);
  }
}

// NiiVue writes the letters of the sides against the very edge, where they are cut; it still says which and where.
function awayFromEdges(nv) {
  for (const [name, right, down] of [["drawTextLeft", -5, 0], ["drawTextRight", 5, 0], ["drawTextAbove", 0, -8], ["drawTextBelow", 0, 4]]) {
    const write = nv[name].bind(nv);
    nv[name] = ([x, y], ...more) => {
      const ratio = nv.uiData.dpr || 1;
      write([x + right * ratio, y + down * ratio], ...more);
    };
  }
}
