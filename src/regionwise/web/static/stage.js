// Draw the photo and, over it, the mask; both canvases have the size of the screen, not the photo's.

import { MASK_COLOR } from "./colors.js";
import { drawBrush, drawMask, drawOperation, maskOperations } from "./strokes.js";
import { View } from "./view.js";

const SHARPEST = 2; // device pixels per CSS pixel that are drawn at most
const QUICK = 10; // milliseconds that drawing the mask may take to be done in every frame

export class Stage {
  /** `element` holds the canvases `.picture` and `.mask`. */
  constructor(element) {
    this.element = element;
    this.picture = element.querySelector(".picture");
    this.overlay = element.querySelector(".mask");
    this.layer = document.createElement("canvas"); // the mask alone, opaque
    this.view = new View();
    this.photo = null; // see photo.js
    this.compare = null; // 0 to 1: how much of what is seen of the photo shows the original
    this.onView = () => {}; // is told when the photo was drawn at another place or scale
    this.original = false; // show the original alone
    this.live = null; // the operation that is being painted
    this.feather = 0; // photo pixels within the mask over which a fill will fade in
    this.faded = document.createElement("canvas"); // what lies outside the mask, for that
    this.cursor = null; // {x, y, radius} in CSS pixels
    this.layerView = null; // where the photo lay when the layer was drawn
    this.layerCost = 0;
    this.frame = 0;
    new ResizeObserver(() => this.resize()).observe(element);
    this.resize();
  }

  get ratio() {
    return Math.min(SHARPEST, window.devicePixelRatio || 1);
  }

  /** Show a photo, or none. */
  show(photo) {
    this.photo = photo;
    this.live = null;
    if (photo) {
      this.view.fits = true;
      this.view.resize(photo.info, this.screen);
    }
    this.maskChanged();
  }

  get screen() {
    return { width: this.element.clientWidth, height: this.element.clientHeight };
  }

  resize() {
    const { width, height } = this.screen;
    for (const canvas of [this.picture, this.overlay, this.layer, this.faded]) {
      canvas.width = Math.max(1, Math.round(width * this.ratio));
      canvas.height = Math.max(1, Math.round(height * this.ratio));
    }
    if (this.photo) this.view.resize(this.photo.info, this.screen);
    this.maskChanged();
  }

  /** The mask is another one: draw it anew. */
  maskChanged() {
    this.layerView = null;
    this.redraw();
  }

  /** Draw in the next frame. */
  redraw() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  draw() {
    const picture = this.picture.getContext("2d");
    const overlay = this.overlay.getContext("2d");
    for (const context of [picture, overlay]) {
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, this.picture.width, this.picture.height);
    }
    if (!this.photo) return;
    const { scale, x, y } = this.view;
    Object.assign(this.element.dataset, { scale, x, y });
    this.drawPicture(picture);
    this.onView();
    if (this.compare === null && !this.original) this.drawOverlay(overlay);
  }

  /** Lead from photo pixels to those of a canvas. */
  transform(context, { scale, x, y } = this.view) {
    const ratio = this.ratio;
    context.setTransform(scale * ratio, 0, 0, scale * ratio, x * ratio, y * ratio);
  }

  drawPicture(context) {
    const { photo, view } = this;
    const { width, height } = photo.info;
    this.transform(context);
    context.save();
    context.beginPath();
    context.rect(0, 0, width, height);
    context.clip();
    if (photo.info.has_alpha) {
      this.drawChecks(context);
      this.transform(context);
    }
    const scale = view.scale * this.ratio;
    if (this.compare === null) {
      photo.tiles.draw(context, this.original ? 0 : photo.result, scale, view.area);
    } else {
      const [left, top, right, bottom] = this.seen;
      const border = left + (right - left) * this.compare;
      this.drawPart(context, photo.result, [border, top, right, bottom]);
      this.drawPart(context, 0, [left, top, border, bottom]);
    }
    context.restore();
  }

  /** The photo's part that is on the screen, as [left, top, right, bottom]. */
  get seen() {
    const [left, top, right, bottom] = this.view.area;
    const { width, height } = this.photo.info;
    return [Math.max(0, left), Math.max(0, top), Math.min(width, right), Math.min(height, bottom)];
  }

  drawPart(context, result, area) {
    const [left, top, right, bottom] = area;
    context.save();
    context.beginPath();
    context.rect(left, top, right - left, bottom - top);
    context.clip();
    this.photo.tiles.draw(context, result, this.view.scale * this.ratio, area);
    context.restore();
  }

  /** What transparent pixels let through. */
  drawChecks(context) {
    const side = 10 * this.ratio;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#fff";
    context.fillRect(0, 0, this.picture.width, this.picture.height);
    context.fillStyle = "#d5d8de";
    for (let y = 0; y * side < this.picture.height; y += 1) {
      for (let x = y % 2; x * side < this.picture.width; x += 2) {
        context.fillRect(x * side, y * side, side, side);
      }
    }
  }

  drawOverlay(context) {
    this.refreshLayer();
    context.globalAlpha = 0.55;
    const then = this.layerView;
    const { scale, x, y } = this.view;
    const factor = scale / then.scale;
    const ratio = this.ratio;
    context.setTransform(
      factor, 0, 0, factor,
      (x - then.x * factor) * ratio, (y - then.y * factor) * ratio,
    );
    context.drawImage(this.layer, 0, 0);
    context.globalAlpha = 1;
    if (this.live && this.live.kind !== "brush") this.drawLive(context);
    this.drawCursor(context);
  }

  /** Draw the layer anew if the mask or the view is another; a costly one when the view has come to rest. */
  refreshLayer() {
    const { scale, x, y } = this.view;
    const then = this.layerView;
    if (then && then.scale === scale && then.x === x && then.y === y) return;
    if (then && this.layerCost > QUICK) {
      clearTimeout(this.rest);
      this.rest = setTimeout(() => this.maskChanged(), 120);
      return;
    }
    const started = performance.now();
    const context = this.layer.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.layer.width, this.layer.height);
    this.transform(context);
    this.useMaskColor(context);
    const { info, operations } = this.photo;
    drawMask(context, maskOperations(operations), info.width, info.height);
    if (this.live?.kind === "brush") drawOperation(context, this.live, info.width, info.height);
    this.fadeLayer(context);
    this.layerView = { scale, x, y };
    this.layerCost = performance.now() - started;
  }

  /** Show how the fill will fade in: what lies outside, blurred, is taken off the layer. */
  fadeLayer(context) {
    const blur = (this.feather * this.view.scale * this.ratio) / 2;
    if (blur < 0.5) return;
    const outside = this.faded.getContext("2d");
    const { width, height } = this.photo.info;
    outside.globalCompositeOperation = "source-over";
    outside.setTransform(1, 0, 0, 1, 0, 0);
    outside.clearRect(0, 0, this.faded.width, this.faded.height);
    this.transform(outside);
    outside.fillStyle = "#000";
    outside.fillRect(0, 0, width, height); // beyond the photo nothing is known to fade from
    outside.setTransform(1, 0, 0, 1, 0, 0);
    outside.globalCompositeOperation = "destination-out";
    outside.drawImage(this.layer, 0, 0);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.globalCompositeOperation = "destination-out";
    context.filter = `blur(${blur}px)`;
    context.drawImage(this.faded, 0, 0);
    context.drawImage(this.faded, 0, 0);
    context.filter = "none";
    context.globalCompositeOperation = "source-over";
  }

  useMaskColor(context) {
    context.fillStyle = MASK_COLOR;
    context.strokeStyle = MASK_COLOR;
  }

  /** The brush went on: draw what is new of its path, from the point number `from` on. */
  extendLive(from) {
    if (this.layerView && this.live.kind === "brush") {
      const context = this.layer.getContext("2d");
      this.transform(context, this.layerView);
      this.useMaskColor(context);
      context.save();
      context.beginPath();
      context.rect(0, 0, this.photo.info.width, this.photo.info.height);
      context.clip();
      context.globalCompositeOperation = this.live.erase ? "destination-out" : "source-over";
      drawBrush(context, this.live.points, from);
      context.restore();
    }
    this.redraw();
  }

  /** A rectangle or lasso while it is drawn. */
  drawLive(context) {
    const { live } = this;
    this.transform(context);
    context.save();
    context.beginPath();
    if (live.kind !== "lasso") context.rect(live.x, live.y, live.width, live.height);
    else for (const [x, y] of live.points) context.lineTo(x, y);
    if (live.kind === "lasso") context.closePath();
    context.globalAlpha = 0.35;
    context.fillStyle = live.erase ? "#ffffff" : MASK_COLOR;
    context.fill();
    context.globalAlpha = 1;
    context.setTransform(1, 0, 0, 1, 0, 0);
    outline(context, this.ratio);
    context.restore();
  }

  drawCursor(context) {
    if (!this.cursor) return;
    const { x, y, radius } = this.cursor;
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.beginPath();
    context.arc(x, y, Math.max(2, radius), 0, 2 * Math.PI);
    outline(context, 1);
  }
}

/** A line that is seen on light and on dark. */
function outline(context, ratio) {
  context.strokeStyle = "rgba(0, 0, 0, 0.65)";
  context.lineWidth = 3 * ratio;
  context.stroke();
  context.strokeStyle = "#fff";
  context.lineWidth = 1.25 * ratio;
  context.stroke();
}
