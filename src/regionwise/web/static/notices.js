// Tell what happened, in words, where it is seen and read aloud.

import { t } from "./language.js";

const SECONDS = 6;
const MOST = 2; // seen at a time

const list = document.querySelector("#notices");

/** Say something; it goes by itself. */
export function say(text) {
  show(text, "status");
}

/** Say what went wrong; it stays until it is closed. */
export function complain(error) {
  if (error?.name === "AbortError") return;
  if (!error?.status && error instanceof Error && error.constructor.name !== "ServerError") {
    console.error(error);
  }
  show(error?.message ?? String(error), "alert");
}

function show(text, role) {
  for (const other of list.children) if (other.dataset.text === text) other.remove();
  const notice = document.createElement("div");
  notice.className = `notice ${role}`;
  notice.dataset.text = text;
  notice.setAttribute("role", role);
  const words = document.createElement("p");
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "×";
  close.setAttribute("aria-label", t("Close this message"));
  close.addEventListener("click", () => notice.remove());
  notice.append(words, close);
  list.append(notice);
  while (list.children.length > MOST) list.firstElementChild.remove();
  if (role === "status") setTimeout(() => notice.remove(), 1000 * SECONDS);
}
