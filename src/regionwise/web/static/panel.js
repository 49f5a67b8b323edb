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
    this.ensemble = find("#ensemble");
    this.detail = find("#detail");
    this.models = [];
    this.grow.value = choice("grow", 2);
    this.feather.value = choice("feather", "");
    this.seed.value = choice("seed", 0);
    for (const toggle of [this.onRelease, this.ensemble, this.detail]) {
      toggle.checked = choice(toggle.id, false);
      toggle.addEventListener("change", () => keepChoice(toggle.id, toggle.checked));
    }
    for (const name of ["grow", "feather", "seed"]) {
      this[name].addEventListener("change", () => {
        if (this[name].validity.valid) keepChoice(name, this[name].value);
      });
    }
    this.detail.addEventListener("change", () => this.describe());
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
    find("#seed-row").hidden = !model?.seeded && !this.detail.checked;
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
    if (this.ensemble.checked) values.ensemble = "true";
    if (this.detail.checked) values.large = "detail";
    if (this.feather.value !== "") values.feather = this.feather.value;
    if (!find("#seed-row").hidden) values.seed = this.seed.value || "0";
    return values;
  }
}

/** Show the results of a photo; `onChoose(number)` is called for the one that is clicked. */
export function showHistory(photo, onChoose) {
  find("#history-section").hidden = !photo?.info.results.length;
  if (!photo) return;
  const numbers = [0, ...photo.info.results.map(({ number }) => number)];
  showList(
    find("#history"),
    numbers.map((number) => ({
      key: `${photo.info.id} ${number}`,
      current: photo.result === number,
      make: () => [entry(photo, number, ...resultWords(photo, number), () => onChoose(number))],
    })),
  );
}

function resultWords(photo, number) {
  const made = photo.info.results[number - 1];
  if (!made) return ["Original", "as it came"];
  return [`Fill ${number}`, `${made.model}, ${made.seconds.toFixed(1)} s`];
}

/** Show the photos, when there are several; what is clicked or removed is given to the functions. */
export function showPhotos(photos, current, { onChoose, onRemove }) {
  find("#photos-section").hidden = photos.length < 2;
  find("#photos-count").textContent = photos.length;
  showList(
    find("#photos"),
    photos.map((photo) => {
      const { name, id } = photo.info;
      const state = photo.hasMask ? "painted" : photo.result ? "filled" : "untouched";
      return {
        key: `${id} ${photo.result} ${state}`,
        current: photo === current,
        make: () => [
          entry(photo, photo.result, name, state, () => onChoose(photo)),
          removeButton(name, () => onRemove(photo)),
        ],
      };
    }),
  );
}

/** Bring a list's items up to date; those whose key stays are not made anew. */
function showList(list, items) {
  const focused = list.contains(document.activeElement) && document.activeElement;
  const there = new Map([...list.children].map((item) => [item.dataset.key, item]));
  const wanted = items.map(({ key, current, make }) => {
    let item = there.get(key);
    if (!item) {
      item = document.createElement("li");
      item.dataset.key = key;
      item.append(...make());
    }
    if (current) item.firstElementChild.setAttribute("aria-current", "true");
    else item.firstElementChild.removeAttribute("aria-current");
    return item;
  });
  list.replaceChildren(...wanted);
  if (focused && list.contains(focused)) focused.focus();
}

function entry(photo, number, title, detail, onClick) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "entry";
  button.append(thumbnail(photo, number), line("strong", title), line("span", detail));
  button.addEventListener("click", onClick);
  return button;
}

function removeButton(name, onClick) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "remove";
  button.textContent = "×";
  button.setAttribute("aria-label", `Remove ${name}`);
  button.addEventListener("click", onClick);
  return button;
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
