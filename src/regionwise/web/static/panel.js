// The side: how to fill, the history of results, and the photos.

import { choice, keepChoice } from "./storage.js";

const THUMB = 128; // pixels

const find = (selector) => document.querySelector(selector);

/** The options of a fill, kept between visits. */
export class Options {
  constructor() {
    this.model = find("#model");
    this.grow = find("#grow");
    this.feather = find("#feather");
    this.seed = find("#seed");
    this.onRelease = find("#fill-on-release");
    this.models = [];
    this.grow.value = choice("grow", 2);
    this.feather.value = choice("feather", "");
    this.seed.value = choice("seed", 0);
    this.onRelease.checked = choice("fill-on-release", false);
    for (const name of ["grow", "feather", "seed"]) {
      this[name].addEventListener("change", () => {
        if (this[name].validity.valid) keepChoice(name, this[name].value);
      });
    }
    this.onRelease.addEventListener("change", () => {
      keepChoice("fill-on-release", this.onRelease.checked);
    });
    this.model.addEventListener("change", () => {
      keepChoice("model", this.model.value);
      this.describe();
    });
  }

  setModels(models) {
    this.models = models;
    const entries = models.map((model) => {
      const entry = new Option(model.name + (model.default ? " (default)" : ""), model.name);
      entry.disabled = !model.installed;
      if (!model.installed) entry.text += ": not installed";
      return entry;
    });
    this.model.replaceChildren(...entries);
    const usual = models.find((model) => model.default).name;
    const kept = choice("model", usual);
    const usable = models.some((model) => model.name === kept && model.installed);
    this.model.value = usable ? kept : usual;
    this.describe();
  }

  describe() {
    const model = this.models.find(({ name }) => name === this.model.value);
    find("#model-title").textContent = model ? model.title : "";
    find("#seed-row").hidden = !model?.seeded;
  }

  /** The options as the API takes them; throws an error in words for a bad one. */
  values() {
    for (const [input, name] of [[this.grow, "Grow"], [this.feather, "Feather"], [this.seed, "Seed"]]) {
      if (!input.validity.valid) {
        input.focus();
        throw new Error(`${name} must be a number from ${input.min} to ${input.max}.`);
      }
    }
    const values = { model: this.model.value, grow: this.grow.value || "0" };
    if (this.feather.value !== "") values.feather = this.feather.value;
    if (!find("#seed-row").hidden) values.seed = this.seed.value || "0";
    return values;
  }
}

/** Show the results of a photo; `onChoose(number)` is called for the one that is clicked. */
export function showHistory(photo, onChoose) {
  const list = find("#history");
  find("#history-section").hidden = !photo?.info.results.length;
  if (!photo) return;
  const numbers = [0, ...photo.info.results.map(({ number }) => number)];
  const wanted = numbers.map((number) => `${photo.info.id}/${number}`);
  while (list.children.length > numbers.length) list.lastElementChild.remove();
  numbers.forEach((number, index) => {
    let item = list.children[index];
    if (item?.dataset.key !== wanted[index]) {
      const fresh = historyItem(photo, number, onChoose);
      fresh.dataset.key = wanted[index];
      if (item) item.replaceWith(fresh);
      else list.append(fresh);
      item = fresh;
    }
    const current = photo.result === number;
    const button = item.querySelector("button");
    if (current) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  });
}

function historyItem(photo, number, onChoose) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  const title = number === 0 ? "Original" : `Fill ${number}`;
  const made = photo.info.results[number - 1];
  const detail = made ? `${made.model}, ${made.seconds.toFixed(1)} s` : "as it came";
  button.append(thumbnail(photo, number), line("strong", title), line("span", detail));
  button.addEventListener("click", () => onChoose(number));
  item.append(button);
  return item;
}

function line(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

/** A small picture of a result, of the place that it changed. */
function thumbnail(photo, number) {
  const canvas = document.createElement("canvas");
  canvas.width = THUMB;
  canvas.height = THUMB;
  const { width, height, results } = photo.info;
  const side = Math.min(width, height);
  let [x, y, extent] = [(width - side) / 2, (height - side) / 2, side];
  if (number > 0) {
    const [left, top, across, down] = results[number - 1].box;
    extent = Math.min(side, Math.max(64, 2 * Math.max(across, down)));
    x = Math.min(width - extent, Math.max(0, left + across / 2 - extent / 2));
    y = Math.min(height - extent, Math.max(0, top + down / 2 - extent / 2));
  }
  const context = canvas.getContext("2d");
  const scale = THUMB / extent;
  context.setTransform(scale, 0, 0, scale, -x * scale, -y * scale);
  const area = [x, y, x + extent, y + extent];
  photo.tiles.drawArea(context, number, scale, area).catch(() => {}); // told where the photo is drawn
  return canvas;
}

/** Show the photos, when there are several. */
export function showPhotos(photos, current, { onChoose, onRemove }) {
  find("#photos-section").hidden = photos.length < 2;
  find("#photos-count").textContent = photos.length;
  const list = find("#photos");
  list.replaceChildren(
    ...photos.map((photo, index) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "photo";
      button.append(thumbnail(photo, photo.result), line("strong", photo.info.name));
      const state = photo.hasMask ? "painted" : photo.result ? "filled" : "untouched";
      button.append(line("span", state));
      if (photo === current) button.setAttribute("aria-current", "true");
      button.addEventListener("click", () => onChoose(index));
      const remove = document.createElement("button");
      remove.type = "button";
      remove.className = "remove";
      remove.textContent = "×";
      remove.setAttribute("aria-label", `Remove ${photo.info.name}`);
      remove.addEventListener("click", () => onRemove(index));
      item.append(button, remove);
      return item;
    }),
  );
}
