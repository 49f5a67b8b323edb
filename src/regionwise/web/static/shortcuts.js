// Keys, and the list of them that ? shows. Keys of a single letter can be turned off.

import { t } from "./language.js";
import { choice, keepChoice } from "./storage.js";

const KEYS = [
  ["Painting", [
    ["B", "brush", "Brush"],
    ["S", "select", "Select: click on a thing, or drag a box round it"],
    ["E", "eraser", "Eraser"],
    ["R", "rectangle", "Rectangle"],
    ["L", "lasso", "Lasso"],
    ["H", "hand", "Move the photo"],
    ["[", "smaller", "Smaller brush"],
    ["]", "larger", "Larger brush"],
    ["I", "invert", "Invert the mask"],
    ["Delete", "clear", "Clear the mask"],
    ["Alt", null, "Held while painting: brush erases, eraser paints"],
    ["Shift", null, "Held: the brush draws a straight line, a click selects more"],
  ]],
  ["Filling", [
    ["Enter", "fill", "Fill"],
    ["Escape", "cancel", "Stop filling, or drop what is being painted"],
    ["Ctrl Z", "undo", "Undo"],
    ["Ctrl Shift Z", "redo", "Redo"],
    ["X", "original", "Held: show the photo as it came"],
    ["C", "compare", "Compare before and after with a slider"],
  ]],
  ["View", [
    ["Space", null, "Held: drag to move the photo"],
    ["Wheel", null, "Zoom; with Shift, move sideways"],
    ["+", "zoomIn", "Zoom in"],
    ["−", "zoomOut", "Zoom out"],
    ["0", "fit", "Show all of the photo"],
    ["1", "actual", "One photo pixel per screen pixel"],
    ["Arrows", null, "Move the photo, when it has the focus"],
  ]],
  ["Photos", [
    ["Ctrl O", "open", "Open photos"],
    ["Ctrl S", "download", "Download the result"],
    ["Ctrl C", "copy", "Copy the result"],
    ["PageUp", "previous", "The photo before"],
    ["PageDown", "next", "The next photo"],
    ["?", "help", "Show these keys"],
  ]],
];

const SINGLE = {
  b: "brush", s: "select", e: "eraser", r: "rectangle", l: "lasso", h: "hand", "[": "smaller", "]": "larger",
  i: "invert", x: "original", c: "compare", "+": "zoomIn", "=": "zoomIn", "-": "zoomOut",
  "−": "zoomOut", 0: "fit", 1: "actual", "?": "help",
};
const NAMED = {
  Delete: "clear", Backspace: "clear", Enter: "fill", Escape: "cancel",
  PageUp: "previous", PageDown: "next",
};
const WITH_CONTROL = { z: "undo", y: "redo", o: "open", s: "download", c: "copy" };

/** Listen for keys. `actions` has a function for each name above; `release` is told of a key that is let go. */
export function listenForKeys(actions, { onSpace, onRelease }) {
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    const name = actionOf(event);
    if (event.key === " " && !isTyping(event.target) && !isControl(event.target)) {
      event.preventDefault();
      onSpace(true);
    }
    if (!name) return;
    if (event.repeat && name === "original") return;
    event.preventDefault();
    actions[name]();
  });
  document.addEventListener("keyup", (event) => {
    if (event.key === " ") onSpace(false);
    if (event.key.toLowerCase() === "x") onRelease("original");
  });
  window.addEventListener("blur", () => {
    onSpace(false);
    onRelease("original");
  });
}

function actionOf(event) {
  if (event.altKey) return null;
  const letter = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) {
    if (isTyping(event.target) && letter !== "o" && letter !== "s") return null;
    if (letter === "c" && String(document.getSelection())) return null; // of text
    return letter === "z" && event.shiftKey ? "redo" : WITH_CONTROL[letter];
  }
  if (isTyping(event.target)) return null;
  if (event.key === "Enter" && isControl(event.target)) return null;
  if (event.key in NAMED) return NAMED[event.key];
  return choice("single-keys", true) || event.key === "?" ? SINGLE[letter] : null;
}

function isTyping(element) {
  return element.matches("input:not([type=range]):not([type=checkbox]), textarea, select");
}

function isControl(element) {
  return element.matches("button, a, summary, input, select, textarea, [role=radio]");
}

/** Write the list of keys into the dialog. */
export function fillHelp(dialog) {
  const mac = /Mac|iPhone|iPad/.test(navigator.platform);
  const groups = KEYS.map(([title, rows]) => {
    const section = document.createElement("section");
    const heading = document.createElement("h3");
    heading.textContent = t(title);
    const terms = document.createElement("dl");
    for (const [keys, , text] of rows) {
      const term = document.createElement("dt");
      for (const key of keys.split(" ")) {
        const cap = document.createElement("kbd");
        cap.textContent = key === "Ctrl" && mac ? "⌘" : key;
        term.append(cap, " ");
      }
      const description = document.createElement("dd");
      description.textContent = t(text);
      terms.append(term, description);
    }
    section.append(heading, terms);
    return section;
  });
  dialog.querySelector(".keys").replaceChildren(...groups);
  const toggle = dialog.querySelector("#single-keys");
  toggle.checked = choice("single-keys", true);
  toggle.addEventListener("change", () => keepChoice("single-keys", toggle.checked));
}
