// Several answers to one mask, side by side: one is chosen, all stay in the history.

import { thumbnail } from "./panel.js";

const find = (selector) => document.querySelector(selector);

export class Answers {
  constructor(desk) {
    this.desk = desk;
    find("#answers-keep").addEventListener("click", () => this.close());
  }

  /** Show what is there of the answers: [[name, number of the result], ...]. */
  show(photo, made) {
    const buttons = made.map(([name, number]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "quiet";
      button.dataset.number = number;
      const words = document.createElement("span");
      words.textContent = name;
      button.append(thumbnail(photo, number), words);
      button.addEventListener("click", () => this.choose(photo, number));
      return button;
    });
    find("#answers .list").replaceChildren(...buttons);
    find("#answers").hidden = false;
    this.mark(photo.result);
  }

  choose(photo, number) {
    const last = photo.operations.findLast(({ kind }) => kind === "fill" || kind === "show");
    last.result = number;
    this.mark(number);
    this.desk.changed();
  }

  mark(number) {
    for (const button of find("#answers .list").children) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.number) === number));
    }
  }

  close() {
    find("#answers").hidden = true;
  }
}
