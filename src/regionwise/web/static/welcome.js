// The page before a photo is open: what it does, a photo to try it with, and the work of last time.

import { t } from "./language.js";
import { complain } from "./notices.js";
import { closedWork, forgetWork } from "./storage.js";

const MOST = 3; // works that are offered
const THUMBS = 3;

const find = (selector) => document.querySelector(selector);

export function connectWelcome(desk) {
  const range = find("#demo-range");
  const place = () => {
    find(".pair .first").style.clipPath = `inset(0 ${100 - range.value}% 0 0)`;
    find(".pair > i").style.left = `${range.value}%`;
  };
  range.addEventListener("input", place);
  place();
  find("#sample").addEventListener("click", () => openSample(desk).catch(complain));
}

async function openSample(desk) {
  const answer = await fetch("static/sample.jpg");
  await desk.open([new File([await answer.blob()], "rocket.jpg", { type: "image/jpeg" })]);
}

/** Offer what was worked on in tabs that were closed. */
export async function showLast(desk) {
  const works = (await closedWork()).slice(0, MOST);
  find("#last").hidden = !works.length;
  find("#last-list").replaceChildren(...works.map((work) => item(work, desk)));
}

function item(work, desk) {
  const line = document.createElement("li");
  const thumbs = document.createElement("span");
  thumbs.className = "thumbs";
  for (const { file } of work.photos.slice(0, THUMBS)) thumbs.append(picture(file));
  const words = document.createElement("p");
  const names = work.photos.map(({ name, file }) => name ?? file.name);
  const detail = document.createElement("small");
  detail.textContent = when(work.time);
  words.append(names.length > 1 ? t("{name} and {count} more", { name: names[0], count: names.length - 1 }) : names[0], detail);
  const go = button("quiet", t("Continue"), async () => {
    go.disabled = true;
    await desk.restore(work);
    desk.save();
    await forgetWork(work, { files: false });
  });
  const gone = button("icon", "×", async () => {
    await forgetWork(work, { files: true });
    await showLast(desk);
  });
  gone.setAttribute("aria-label", t("Forget {name}", { name: names[0] }));
  gone.title = t("Forget it: nothing of it stays in this browser");
  line.append(thumbs, words, go, gone);
  return line;
}

function button(kind, text, onClick) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = kind;
  made.textContent = text;
  made.addEventListener("click", () => onClick().catch(complain));
  return made;
}

function when(time) {
  return new Date(time).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
}

function picture(file) {
  const canvas = document.createElement("canvas");
  canvas.width = 88;
  canvas.height = 88;
  createImageBitmap(file).then((image) => {
    const side = Math.min(image.width, image.height);
    const [x, y] = [(image.width - side) / 2, (image.height - side) / 2];
    canvas.getContext("2d").drawImage(image, x, y, side, side, 0, 0, 88, 88);
    image.close();
  }, () => {}); // a TIFF, which browsers don't draw
  return canvas;
}
