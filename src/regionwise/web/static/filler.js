// Fill photos, one at a time: the mask out, steps and the result in, and the way to stop it.

import { t } from "./language.js";
import { renderMask } from "./mask_file.js";
import { complain, say } from "./notices.js";
import { fillPhoto, sendPhoto } from "./server.js";

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
      say(t("No photo has a mask yet. Paint on one, and use its mask on all."));
      return;
    }
    const count = wanted.length;
    await this.run(async (signal) => {
      let failed = 0;
      for (const [index, photo] of wanted.entries()) {
        try {
          await this.fillOne(photo, signal, `${t("{number} of {count}", { number: index + 1, count })}: `);
        } catch (error) {
          if (signal.aborted) throw error;
          failed += 1;
          complain(new Error(`${photo.info.name}: ${error.message}`));
        }
      }
      say(failed ? t("{failed} of {count} photos were not filled.", { failed, count }) : t("All photos are filled."));
    });
  }

  /** Several answers to one mask; `choose(photo, numbers, names)` lets one be chosen. */
  async fillSeveral(choose) {
    const { photo } = this.desk;
    if (this.running || !photo) return;
    await this.run(async (signal) => {
      const count = photo.operations.length;
      const start = photo.result;
      const recipe = await this.recipeFor(photo);
      const variants = this.desk.options.variants();
      const made = [];
      for (const [index, { name, word, options }] of variants.entries()) {
        const prefix = `${t("{number} of {count}", { number: index + 1, count: variants.length })}: `;
        const own = { ...recipe, word, options, start };
        const result = await this.withPhoto(photo, signal, () => this.ask(photo, own, signal, prefix));
        photo.keepResult(result, own);
        made.push([name, result.number]);
        if (index === 0) photo.operations.splice(count, 0, { kind: "fill", result: result.number });
        this.desk.changed();
        choose(photo, made);
      }
      photo.undone = [];
      this.desk.status(t("Choose one of the answers."));
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
      if (error.name === "AbortError") this.desk.status(t("Stopped."));
      else this.desk.status("");
      complain(error);
    } finally {
      this.running = null;
      this.desk.changed();
    }
  }

  async fillOne(photo, signal, prefix = "") {
    const count = photo.operations.length;
    const recipe = await this.recipeFor(photo);
    const result = await this.withPhoto(photo, signal, () => this.ask(photo, recipe, signal, prefix));
    photo.addResult(result, count, recipe);
    for (const warning of result.warnings) say(`${warning[0].toUpperCase()}${warning.slice(1)}.`);
    this.desk.changed();
    this.desk.status(t("Filled in {seconds} s.", { seconds: result.seconds.toFixed(1) }));
  }

  /** Do something with a photo; one that the server has forgotten is sent again first. */
  async withPhoto(photo, signal, work) {
    try {
      return await work();
    } catch (error) {
      if (error.status !== 404) throw error;
      await this.sendAgain(photo, signal);
      return work();
    }
  }

  /** Send a photo that the server lost, and make its results again, in their order. */
  async sendAgain(photo, signal) {
    const { recipes } = photo;
    const wanted = recipes.length;
    photo.restart(await sendPhoto(photo.file));
    try {
      for (const [index, recipe] of recipes.entries()) {
        const counted = { number: index + 1, count: recipes.length };
        const prefix = `${t("Making your fills again, {number} of {count}", counted)}: `;
        photo.info.results.push(await this.ask(photo, recipe, signal, prefix));
      }
    } catch (error) {
      if (signal?.aborted) throw error;
      complain(error);
    } finally {
      photo.dropLostResults();
    }
    const { name } = photo.info;
    const lost = wanted > photo.info.results.length;
    say(lost
      ? t("The server had forgotten {name}; it was sent again, without some results.", { name })
      : t("The server had forgotten {name}; it was sent again.", { name }));
    this.desk.changed();
  }

  /** Ask the server for a fill as a recipe says. */
  async ask(photo, { start, mask, options }, signal, prefix) {
    const { id, width, height } = photo.info;
    const file = mask && (await renderMask(mask, width, height));
    if (mask && !file) throw new Error(t("Nothing is painted yet. Paint over what should go, then fill."));
    this.desk.status(`${prefix}${t("Filling…")}`);
    showProgress(null);
    return fillPhoto(id, file, { ...options, result: start }, {
      signal,
      onStep: (share) => {
        showProgress(share);
        this.desk.status(`${prefix}${t("Filling… {percent} %", { percent: Math.round(100 * share) })}`);
      },
      onBusy: () => this.desk.status(`${prefix}${t("Waiting for others…")}`),
    });
  }

  /** What to fill, from where, and how: what is painted, or else the transparent pixels, or else the last mask. */
  async recipeFor(photo) {
    const { width, height, has_hole: hasHole } = photo.info;
    const options = this.desk.options.values();
    const word = this.desk.options.chosenWord;
    const start = photo.result;
    if (!photo.mask.length && !start && hasHole) return { start, mask: null, options, word };
    const mask = photo.mask.length ? photo.mask : photo.lastMask;
    if (!(await renderMask(mask, width, height))) {
      throw new Error(t("Nothing is painted yet. Paint over what should go, then fill."));
    }
    return { start, mask, options, word };
  }
}

/** How far a fill is, 0 to 1; null for unknown. */
function showProgress(part) {
  const bar = document.querySelector("#progress");
  if (part === null) bar.removeAttribute("value");
  else bar.value = part;
}
