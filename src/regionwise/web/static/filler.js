// Fill photos, one at a time: the mask out, steps and the result in, and the way to stop it.

import { renderMask } from "./mask_file.js";
import { complain, say } from "./notices.js";
import { fillPhoto } from "./server.js";

export class Filler {
  /** `desk` has the photos, and is told what changes. */
  constructor(desk) {
    this.desk = desk;
    this.running = null; // an AbortController while something is filled
    this.again = false; // something was painted meanwhile that is to be filled too
  }

  async fill() {
    if (this.running) {
      this.again = true;
      return;
    }
    if (!this.desk.photo) return;
    await this.run(async (signal) => {
      do {
        this.again = false;
        await this.fillOne(this.desk.photo, signal);
      } while (this.again && this.desk.photo.hasMask);
    });
  }

  async fillAll() {
    const wanted = this.desk.photos.filter((photo) => photo.hasMask);
    if (!wanted.length) {
      say("No photo has a mask yet. Paint on one, and use its mask on all.");
      return;
    }
    await this.run(async (signal) => {
      let failed = 0;
      for (const [index, photo] of wanted.entries()) {
        try {
          await this.fillOne(photo, signal, `${index + 1} of ${wanted.length}: `);
        } catch (error) {
          if (signal.aborted) throw error;
          failed += 1;
          complain(new Error(`${photo.info.name}: ${error.message}`));
        }
      }
      say(failed ? `${failed} of ${wanted.length} photos were not filled.` : "All photos are filled.");
    });
  }

  /** Do something that can be cancelled, and tell how it went. */
  async run(work) {
    this.running = new AbortController();
    showProgress(null);
    this.desk.update();
    try {
      await work(this.running.signal);
    } catch (error) {
      if (error.name === "AbortError") this.desk.status("Stopped.");
      else this.desk.status("");
      complain(error);
    } finally {
      this.running = null;
      this.desk.changed();
    }
  }

  /** Fill a photo; one that the server has forgotten is sent again. */
  async fillOne(photo, signal, prefix) {
    try {
      await this.fillKnown(photo, signal, prefix);
    } catch (error) {
      if (error.status !== 404) throw error;
      await this.desk.sendAgain(photo);
      await this.fillKnown(photo, signal, prefix);
    }
  }

  async fillKnown(photo, signal, prefix = "") {
    const { info } = photo;
    const count = photo.operations.length;
    const options = { ...this.desk.options.values(), result: photo.result };
    this.desk.status(`${prefix}Filling…`);
    const mask = await this.maskFor(photo);
    signal.throwIfAborted();
    const result = await fillPhoto(info.id, mask, options, {
      signal,
      onStep: showProgress,
      onBusy: () => this.desk.status(`${prefix}Waiting for others…`),
    });
    photo.addResult(result, count);
    for (const warning of result.warnings) say(`${warning[0].toUpperCase()}${warning.slice(1)}.`);
    this.desk.status(`Filled in ${result.seconds.toFixed(1)} s.`);
    this.desk.changed();
  }

  /** What to fill: what is painted, or else the transparent pixels, or else the last mask again. */
  async maskFor(photo) {
    const { width, height, has_hole: hasHole } = photo.info;
    if (!photo.mask.length && !photo.result && hasHole) return null;
    const operations = photo.mask.length ? photo.mask : photo.lastMask;
    const mask = await renderMask(operations, width, height);
    if (!mask) throw new Error("Nothing is painted yet. Paint over what should go, then fill.");
    return mask;
  }
}

/** How far a fill is, 0 to 1; null for unknown. */
function showProgress(part) {
  const bar = document.querySelector("#progress");
  if (part === null) bar.removeAttribute("value");
  else bar.value = part;
}
