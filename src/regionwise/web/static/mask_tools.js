// What changes the mask as a whole: found or selected by the server, loaded, grown, taken over.

import { prepare } from "./bitmaps.js";
import { t } from "./language.js";
import { changedMask, renderMask } from "./mask_file.js";
import { complain, say } from "./notices.js";
import { findKind, selectThing } from "./server.js";
import { saveFile, stem } from "./exports.js";

const find = (selector) => document.querySelector(selector);

const MOST_OTHERS = 8; // photos that are looked at beside one, for their common watermark
const SAME_PLACE = 14; // CSS pixels

function sameSize(one, other) {
  return one.info.width === other.info.width && one.info.height === other.info.height;
}

/** Whether two clicks are one place to the eye. */
function near(one, other, desk) {
  return one && Math.hypot(one.x - other.x, one.y - other.y) * desk.stage.view.scale < SAME_PLACE;
}

export class MaskTools {
  constructor(desk) {
    this.desk = desk;
    for (const button of document.querySelectorAll("[data-find]")) {
      button.addEventListener("click", () => this.findKind(button.dataset.find, button));
    }
    find("#mask-file").addEventListener("change", (event) => {
      const [file] = event.target.files;
      event.target.value = "";
      if (file) this.load(file);
    });
    find("#mask-from").addEventListener("change", (event) => {
      const other = desk.photos.find(({ key }) => key === event.target.value);
      event.target.value = "";
      if (other) this.takeFrom(other);
    });
  }

  /** Do something that takes a moment; what goes wrong is told. */
  async busy(text, work) {
    const { desk } = this;
    desk.status(text);
    desk.stage.element.classList.add("busy");
    try {
      await work();
    } catch (error) {
      complain(error);
    } finally {
      desk.stage.element.classList.remove("busy");
      if (!desk.filler.running) desk.status("");
    }
  }

  /**
   * A thing that was clicked on or boxed. A plain click takes the place of the click before it; one
   * at the same place goes on to the next larger thing, as from a wheel to the car.
   */
  async select({ points, box, add, erase }) {
    const { desk } = this;
    const { photo } = desk;
    const last = photo.operations.at(-1);
    const again = !add && !erase && points && last?.found === "select" && near(last.clicked, points[0], desk);
    const wider = again ? last.wider + 1 : 0;
    await this.busy(t("Looking for its outline…"), async () => {
      const found = await this.withPhoto(photo, () =>
        selectThing(photo.info.id, { result: photo.result, points, box, wider }),
      );
      if (!found) {
        say(t("Nothing was found there. Drag a box round it, or paint it."));
        return;
      }
      const operation = { ...found, erase, found: "select", clicked: points?.[0], wider };
      await prepare([operation]);
      const replaces = !add && !erase && photo.operations.at(-1)?.found === "select";
      if (replaces) photo.operations.pop();
      desk.stage.maskChanged();
      if (photo === desk.photo) desk.painted(operation);
      desk.changed();
      if (points && !add && !erase) this.hint = t("Click again for more of it, Shift-click to add.");
    });
    if (this.hint && !desk.filler.running) desk.status(this.hint);
    this.hint = "";
  }

  async findKind(kind, button) {
    const { desk } = this;
    const { photo } = desk;
    if (!photo) return;
    button.disabled = true;
    await this.busy(t("Looking…"), async () => {
      const found = await this.withPhoto(photo, () => {
        const others = desk.photos.filter((other) => other !== photo && sameSize(other, photo));
        const ids = others.slice(0, MOST_OTHERS).map((other) => other.info.id);
        return findKind(photo.info.id, { kind, result: photo.result, others: kind === "watermark" ? ids : [] });
      });
      if (!found) {
        say(t("None was found."));
        return;
      }
      await prepare([found]);
      photo.do({ ...found, found: kind });
      desk.changed();
    });
    button.disabled = false;
  }

  withPhoto(photo, work) {
    return this.desk.filler.withPhoto(photo, null, work);
  }

  /** A mask from a file; one of another size is scaled. */
  async load(file) {
    const { desk } = this;
    const { photo } = desk;
    if (!photo) return;
    await this.busy(t("Opening {name}…", { name: file.name }), async () => {
      const { width, height } = photo.info;
      const blob = new Blob([await file.arrayBuffer()], { type: file.type });
      const operation = { kind: "bitmap", erase: false, x: 0, y: 0, width, height, blob };
      await prepare([operation]).catch(() => {
        throw new Error(t("{name} is no picture that this browser can read.", { name: file.name }));
      });
      if (!(await renderMask([operation], width, height))) {
        throw new Error(t("{name} has no white pixel; white is what gets filled.", { name: file.name }));
      }
      photo.do(operation);
      desk.changed();
    });
  }

  async save() {
    const { photo } = this.desk;
    if (!photo?.hasMask) return;
    const { width, height, name } = photo.info;
    const mask = await renderMask(photo.mask, width, height, { whole: true });
    if (mask) saveFile(mask.blob, `${stem(name)}_mask.png`);
  }

  /** The mask of another photo, scaled where the sizes differ. */
  takeFrom(other) {
    const { photo } = this.desk;
    const scaleX = photo.info.width / other.info.width;
    const scaleY = photo.info.height / other.info.height;
    this.desk.do({ kind: "paste", operations: structuredClone(other.mask), scaleX, scaleY });
  }

  /** Widen the mask, or narrow it for a sign of -1, by the pixels of the field. */
  async change(sign) {
    const { photo } = this.desk;
    const input = find("#step");
    if (!photo?.hasMask) return;
    if (!input.validity.valid) {
      complain(new Error(t("{name} must be a number from {min} to {max}.", { name: t("Pixels"), min: 1, max: 200 })));
      return;
    }
    await this.busy(t("Changing the mask…"), async () => {
      const { width, height } = photo.info;
      const operation = await changedMask(photo.mask, width, height, sign * Number(input.value));
      if (operation) await prepare([operation]);
      photo.do(operation ? { ...operation, anew: true } : { kind: "clear" });
      this.desk.changed();
    });
  }
}
