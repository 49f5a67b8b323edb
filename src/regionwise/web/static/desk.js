// All photos and what is done with them; the buttons follow from that.

import { Answers } from "./answers.js";
import { prepare } from "./bitmaps.js";
import { Exports } from "./exports.js";
import { Filler } from "./filler.js";
import { Gestures } from "./gestures.js";
import { t } from "./language.js";
import { MaskTools } from "./mask_tools.js";
import { complain, say } from "./notices.js";
import { Options, showHistory, showMaskSources, showPhotos } from "./panel.js";
import { WorkPhoto } from "./photo.js";
import { fetchPhoto, forgetPhoto, sendPhoto } from "./server.js";
import { Stage } from "./stage.js";
import { dropFile, keepFile, keepWork } from "./storage.js";

const STILL_HERE = 5 * 60 * 1000; // milliseconds between two signs of life for the server

const find = (selector) => document.querySelector(selector);

export class Desk {
  constructor() {
    this.photos = [];
    this.photo = null;
    this.tool = "brush";
    this.brushSize = 40;
    this.filler = new Filler(this);
    this.limits = { max_bytes: Infinity };
    this.options = new Options();
    this.exports = new Exports(this);
    this.maskTools = new MaskTools(this);
    this.answers = new Answers(this);
    this.stage = new Stage(find("#stage"));
    this.stage.onView = () => this.viewChanged();
    this.stage.feather = this.options.fade;
    this.options.onFeather = (pixels) => {
      this.stage.feather = pixels;
      this.stage.maskChanged();
    };
    this.gestures = new Gestures(this.stage, {
      tool: () => ({
        name: this.tool === "eraser" ? "brush" : this.tool,
        erase: this.tool === "eraser",
        radius: this.brushSize / 2,
      }),
      canPaint: () => this.photo && this.stage.compare === null && !this.stage.original,
      onPaint: (operation) => this.painted(operation),
      onSelect: (what) => this.maskTools.select(what),
    });
    find("#compare-range").addEventListener("input", (event) => this.setCompare(event.target.value));
    setInterval(() => this.checkPhotos(), STILL_HERE);
    this.update();
  }

  /** The server said what it has. */
  connect(limits) {
    this.limits = limits;
    this.options.setModels(limits.models, limits.words);
    this.exports.connect(limits);
    for (const input of [this.options.grow, this.options.feather]) input.max = limits.max_grow;
  }

  // Photos

  async open(files) {
    if (!files.length) return;
    const failures = [];
    let shown = false;
    for (const [index, file] of files.entries()) {
      const name = file.name || t("the picture");
      const counted = { name, number: index + 1, count: files.length };
      const opening = files.length > 1 ? t("Opening {name} ({number} of {count})…", counted) : t("Opening {name}…", counted);
      this.status(opening);
      document.body.dataset.opening = opening;
      try {
        if (file.size > this.limits.max_bytes) {
          const most = this.limits.max_bytes / 1e6;
          throw new Error(t("It is larger than the {most} MB that the server takes.", { most }));
        }
        const info = await sendPhoto(file, () => this.status(t("The server is busy; waiting…")));
        const photo = new WorkPhoto(file, info);
        this.add(photo);
        if (!shown) this.select(this.photos.length - 1);
        shown = true;
        keepFile(photo.key, file).catch(() => say(t("This browser keeps no files: a reload loses them.")));
      } catch (error) {
        failures.push({ name, reason: error.message });
      }
    }
    delete document.body.dataset.opening;
    if (failures.length) complain(new Error(inWords(failures)));
    this.status("");
    this.update();
    this.save();
  }

  add(photo) {
    photo.openTiles(
      () => this.stage.redraw(),
      (error) => this.tileFailed(photo, error),
    );
    this.photos.push(photo);
  }

  /** Go on where the page was before it was loaded anew. */
  async restore({ photos, current }) {
    this.status(t("Opening your photos again…"));
    for (const saved of photos) {
      try {
        const photo = await this.reopened(saved);
        await prepare(photo.everything);
        this.add(photo);
      } catch (error) {
        complain(error);
      }
    }
    this.status("");
    if (this.photos.length) this.select(Math.min(Math.max(0, current), this.photos.length - 1));
  }

  async reopened(saved) {
    try {
      return new WorkPhoto(saved.file, await fetchPhoto(saved.id), saved);
    } catch (error) {
      if (error.status !== 404) throw error;
      const photo = new WorkPhoto(saved.file, { results: [], name: saved.name }, saved);
      await prepare(photo.everything);
      await this.filler.sendAgain(photo);
      return photo;
    }
  }

  tileFailed(photo, error) {
    if (photo.recovering) return;
    if (error.status !== 404) {
      complain(error);
      return;
    }
    if (this.filler.running) return; // which sends it again by itself
    photo.recovering = this.filler
      .run((signal) => this.filler.sendAgain(photo, signal))
      .then(() => photo.tiles.retry(), complain)
      .finally(() => {
        photo.recovering = null;
        this.changed();
      });
  }

  async checkPhotos() {
    for (const photo of this.photos) {
      await fetchPhoto(photo.info.id).catch((error) => this.tileFailed(photo, error));
    }
  }

  select(index) {
    this.photo = this.photos[index] ?? null;
    this.answers.close();
    this.status("");
    this.setCompare(null);
    this.stage.show(this.photo);
    this.changed();
  }

  step(by) {
    const index = this.photos.indexOf(this.photo) + by;
    if (this.photos[index]) this.select(index);
  }

  remove(index) {
    const [photo] = this.photos.splice(index, 1);
    photo.tiles.close();
    forgetPhoto(photo.info.id).catch(() => {}); // it goes by itself after a while
    dropFile(photo.key).catch(() => {});
    if (photo === this.photo) this.select(Math.min(index, this.photos.length - 1));
    else this.changed();
  }

  // The mask

  painted(operation) {
    this.photo.do(operation);
    this.answers.close();
    if (!this.filler.running) this.status("");
    this.update();
    this.save();
    if (this.options.onRelease.checked && !operation.erase) this.filler.fill();
  }

  do(operation) {
    if (!this.photo) return;
    this.photo.do(operation);
    this.changed();
  }

  clear() {
    if (this.photo?.mask.length) this.do({ kind: "clear" });
  }

  undo() {
    if (this.filler.running || !this.photo) return;
    this.photo.undo();
    this.answers.close();
    this.status("");
    this.changed();
  }

  redo() {
    if (this.filler.running || !this.photo) return;
    this.photo.redo();
    this.status("");
    this.changed();
  }

  /** The mask of this photo on all others too, scaled where their size is another. */
  applyToAll() {
    const { info, mask } = this.photo;
    const operations = structuredClone(mask);
    const others = this.photos.filter((photo) => photo !== this.photo);
    for (const other of others) {
      const scaleX = other.info.width / info.width;
      const scaleY = other.info.height / info.height;
      other.do({ kind: "clear" });
      other.do({ kind: "paste", operations, scaleX, scaleY });
    }
    this.changed();
    say(t("The mask is on all {count} photos. Fill all, or step through them first.", { count: this.photos.length }));
  }

  // Results

  cancel() {
    if (this.gestures.drop()) return;
    if (this.filler.running) this.filler.running.abort();
    else if (this.stage.compare !== null) this.setCompare(null);
  }

  showResult(number) {
    if (this.filler.running || number === this.photo.result) return;
    this.do({ kind: "show", result: number });
  }

  // What is seen

  zoom(factor) {
    const { view } = this.stage;
    view.zoomAt(view.screen.width / 2, view.screen.height / 2, factor);
    this.stage.redraw();
  }

  fit() {
    this.stage.view.fit();
    this.stage.redraw();
  }

  actualSize() {
    this.zoom(1 / window.devicePixelRatio / this.stage.view.scale);
  }

  move(x, y) {
    this.stage.view.move(x, y);
    this.stage.redraw();
  }

  holdSpace(held) {
    this.gestures.spaceHeld = held;
    this.stage.element.classList.toggle("movable", held);
  }

  showOriginal(shown) {
    if (!this.photo || this.stage.original === shown) return;
    this.stage.original = shown;
    this.stage.element.classList.toggle("original", shown);
    this.stage.redraw();
  }

  toggleCompare() {
    if (this.photo?.result) this.setCompare(this.stage.compare === null ? 50 : null);
  }

  /** Where the slider between before and after stands, 0 to 100; null puts it away. */
  setCompare(percent) {
    const on = percent !== null;
    this.stage.compare = on ? percent / 100 : null;
    find("#compare").hidden = !on;
    find("#compare-button").setAttribute("aria-pressed", String(on));
    if (on) {
      find("#compare-range").value = percent;
      find("#compare-line").style.left = `${percent}%`;
      find("#compare-range").focus({ preventScroll: true });
    }
    this.stage.redraw();
  }

  /** The photo lies elsewhere on the screen, or is larger or smaller. */
  viewChanged() {
    const { view, seen } = this.stage;
    const percent = 100 * view.scale * window.devicePixelRatio;
    find("#zoom-value").textContent = `${percent < 10 ? percent.toFixed(1) : Math.round(percent)}%`;
    if (this.stage.compare === null) return;
    const [left, top, right, bottom] = seen;
    Object.assign(find("#compare").style, {
      left: `${left * view.scale + view.x}px`,
      top: `${top * view.scale + view.y}px`,
      width: `${(right - left) * view.scale}px`,
      height: `${(bottom - top) * view.scale}px`,
    });
  }

  status(text) {
    find("#status").textContent = text;
  }

  changed() {
    this.stage.maskChanged();
    this.update();
    this.save();
  }

  /** Let buttons and lists show how things stand. */
  update() {
    const { photo, photos } = this;
    const { running } = this.filler;
    const { body } = document;
    body.classList.toggle("empty", !photo);
    body.classList.toggle("several", photos.length > 1);
    find("#fill").hidden = Boolean(running);
    find("#running").hidden = !running;
    const usable = {
      undo: photo?.operations.length && !running,
      redo: photo?.undone.length && !running,
      invert: photo,
      clear: photo?.mask.length,
      compare: photo?.result,
      download: photo && !running,
      fill: photo && (photo.mask.length || photo.lastMask.length || (photo.info.has_hole && !photo.result)),
      previous: photo !== photos[0],
      next: photo !== photos.at(-1),
      several: photo && !running && (photo.mask.length || photo.lastMask.length),
      copy: photo && !running,
      shrink: photo?.hasMask,
      grow: photo?.hasMask,
      saveMask: photo?.hasMask,
      loadMask: photo,
      actual: photo,
      fit: photo,
      zoomIn: photo,
      zoomOut: photo,
    };
    for (const [action, can] of Object.entries(usable)) {
      for (const button of document.querySelectorAll(`[data-action=${action}]`)) {
        button.disabled = !can;
      }
    }
    find("#original").disabled = !photo?.result;
    find("#apply-all").disabled = !photo?.hasMask || Boolean(running);
    find("#fill-all").disabled = Boolean(running);
    const again = photo && !photo.mask.length && photo.lastMask.length;
    find("#fill .label").textContent = again ? t("Fill again") : t("Fill");
    find("#photo-name").textContent = photo?.info.name ?? "";
    find("#photo-facts").textContent = photo ? facts(photo.info) : "";
    document.title = photo ? `${photo.info.name} · regionwise` : "regionwise";
    showHistory(photo, (number) => this.showResult(number));
    showMaskSources(photos, photo);
    this.exports.update();
    showPhotos(photos, photo, {
      onChoose: (chosen) => this.select(photos.indexOf(chosen)),
      onRemove: (gone) => this.remove(photos.indexOf(gone)),
    });
  }

  save() {
    clearTimeout(this.saving);
    this.saving = setTimeout(() => {
      const data = this.photos.map((photo) => photo.data());
      keepWork(data, this.photos.indexOf(this.photo)).catch(() => {}); // told when a photo is opened
    }, 200);
  }
}

function facts(info) {
  const depth = info.bits === 16 ? `, ${t("16 bit")}` : "";
  return `${info.width} × ${info.height} ${info.format}${depth}`;
}

/** Files that could not be opened, in one message: why, once for all that have the same reason. */
function inWords(failures) {
  const [{ name, reason }] = failures;
  if (failures.length === 1) return `${name}: ${reason}`;
  const names = failures.slice(0, 3).map((one) => one.name).join(", ");
  const more = failures.length > 3 ? ", …" : "";
  const said = failures.every((one) => one.reason === reason) ? ` ${reason}` : ` ${name}: ${reason}`;
  return `${t("{count} files could not be opened.", { count: failures.length })} (${names}${more})${said}`;
}
