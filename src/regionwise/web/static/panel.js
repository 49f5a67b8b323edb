// The side: how to fill, the history of results, and the photos.

import { currentLanguage, t } from "./language.js";
import { choice, keepChoice } from "./storage.js";

const THUMB = 128; // pixels

const find = (selector) => document.querySelector(selector);

const WORDS = {
  auto: ["Auto", "Chooses by the photo and the hole."],
  fast: ["Fast", "A smaller network: for old computers and first tries."],
  sharp: ["Sharp", "Copies detail from the rest of the photo: grass, gravel, walls, cloth."],
  smooth: ["Smooth", "Without any detail: sky, and skin, and evenly lit walls."],
};

/** The options of a fill, kept between visits. */
export class Options {
  constructor() {
    this.model = find("#model");
    this.grow = find("#grow");
    this.feather = find("#feather");
    this.seed = find("#seed");
    this.onRelease = find("#fill-on-release");
    this.ensemble = find("#ensemble");
    this.models = [];
    this.words = [];
    this.word = choice("word", "auto");
    this.grow.value = choice("grow", 2);
    this.feather.value = choice("feather", "");
    this.seed.value = choice("seed", 0);
    for (const toggle of [this.onRelease, this.ensemble]) {
      toggle.checked = choice(toggle.id, false);
      toggle.addEventListener("change", () => keepChoice(toggle.id, toggle.checked));
    }
    this.onFeather = () => {};
    this.feather.addEventListener("input", () => this.onFeather(this.fade));
    for (const name of ["grow", "feather", "seed"]) {
      this[name].addEventListener("change", () => {
        if (this[name].validity.valid) keepChoice(name, this[name].value);
      });
    }
    this.model.addEventListener("change", () => {
      keepChoice("model", this.model.value);
      this.describe();
    });
  }

  /** What the server has: its models, and the words with the options that each stands for. */
  setModels(models, words) {
    this.models = models;
    this.words = words;
    const entries = models.map((model) => {
      const entry = new Option(model.name + (model.default ? ` (${t("default")})` : ""), model.name);
      entry.disabled = !model.installed;
      if (!model.installed) entry.text += `: ${t("not installed")}`;
      return entry;
    });
    this.model.replaceChildren(new Option(t("As the word says"), ""), ...entries);
    const kept = choice("model", "");
    this.model.value = models.some((model) => model.name === kept && model.installed) ? kept : "";
    if (!words.some(({ name }) => name === this.word)) this.word = words[0].name;
    const buttons = words.map(({ name }) => {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("role", "radio");
      button.dataset.word = name;
      button.textContent = t(WORDS[name][0]);
      button.addEventListener("click", () => this.choose(name));
      button.addEventListener("keydown", (event) => this.step(event));
      return button;
    });
    find("#words").replaceChildren(...buttons);
    this.describe();
  }

  choose(word) {
    this.word = word;
    this.model.value = "";
    keepChoice("word", word);
    keepChoice("model", "");
    this.describe();
  }

  step(event) {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const names = this.words.map(({ name }) => name);
    this.choose(names[(names.indexOf(this.word) + by + names.length) % names.length]);
    find("#words [aria-checked=true]").focus();
  }

  describe() {
    const model = this.models.find(({ name }) => name === this.model.value);
    find("#model-title").textContent = model ? model.title : "";
    for (const button of document.querySelectorAll("#words button")) {
      const chosen = button.dataset.word === this.word && !model;
      button.setAttribute("aria-checked", String(chosen));
      button.tabIndex = button.dataset.word === this.word ? 0 : -1;
    }
    find("#word-hint").textContent = model
      ? t("The model under More is used.")
      : t(WORDS[this.word][1]);
  }

  /** The options as the API takes them; throws an error in words for a bad one. */
  values(word = this.word) {
    for (const [input, name] of [[this.grow, "Grow"], [this.feather, "Feather"], [this.seed, "Seed"]]) {
      if (!input.validity.valid) {
        find("#more").open = true;
        input.focus();
        const { min, max } = input;
        throw new Error(t("{name} must be a number from {min} to {max}.", { name: t(name), min, max }));
      }
    }
    const values = { ...this.words.find(({ name }) => name === word)?.options };
    if (this.model.value) Object.assign(values, { model: this.model.value });
    values.grow = this.grow.value || "0";
    if (this.ensemble.checked) values.ensemble = "true";
    if (this.feather.value !== "") values.feather = this.feather.value;
    values.seed = this.seed.value || "0";
    return values;
  }

  /** Pixels within the mask over which a fill fades in, 0 where the server chooses. */
  get fade() {
    return this.feather.validity.valid ? Number(this.feather.value) : 0;
  }

  /** The word that is chosen, or none where a model is. */
  get chosenWord() {
    return this.model.value ? undefined : this.word;
  }

  /** Options for several answers to one mask, each with its name. */
  variants() {
    const seed = Number(this.seed.value || 0);
    const named = (word) => ({ name: t(WORDS[word][0]), word, options: this.values(word) });
    const sharp = named("sharp");
    const other = { ...sharp.options, seed: String(seed + 1) };
    const all = [named("auto"), sharp, { ...sharp, name: `${sharp.name} 2`, options: other }, named("smooth")];
    return all.filter(({ word }) => this.words.some(({ name }) => name === word));
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
      key: `${photo.info.id} ${number} ${currentLanguage()}`,
      current: photo.result === number,
      make: () => [entry(photo, number, ...resultWords(photo, number), () => onChoose(number))],
    })),
  );
}

function resultWords(photo, number) {
  const made = photo.info.results[number - 1];
  if (!made) return [t("Original"), t("as it came")];
  const how = photo.recipes[number - 1]?.word;
  const words = how ? t(WORDS[how][0]) : made.model;
  return [t("Fill {number}", { number }), `${words}, ${made.seconds.toFixed(1)} s`];
}

/** Let another photo be chosen whose mask is taken over. */
export function showMaskSources(photos, current) {
  const others = photos.filter((photo) => photo !== current && photo.hasMask);
  const entries = others.map((photo) => new Option(photo.info.name, photo.key));
  find("#mask-from").replaceChildren(new Option(t("From photo…"), ""), ...entries);
  find("#mask-from").disabled = !others.length;
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
        key: `${id} ${photo.result} ${state} ${currentLanguage()}`,
        current: photo === current,
        make: () => [
          entry(photo, photo.result, name, t(state), () => onChoose(photo)),
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
  button.setAttribute("aria-label", t("Remove {name}", { name }));
  button.addEventListener("click", onClick);
  return button;
}

function line(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

/** A small picture of a result, cut to the place that it changed; the original to that of the first. */
export function thumbnail(photo, number) {
  const canvas = document.createElement("canvas");
  canvas.width = THUMB;
  canvas.height = THUMB;
  const { width, height, results } = photo.info;
  const side = Math.min(width, height);
  let [x, y, extent] = [(width - side) / 2, (height - side) / 2, side];
  if (number > 0) {
    const [left, top, across, down] = results[number - 1].box;
    extent = Math.min(side, Math.max(48, 1.4 * Math.max(across, down)));
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
