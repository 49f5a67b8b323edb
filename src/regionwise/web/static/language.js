// The page in the reader's language. English texts are the keys of the table in strings.js.

import { choice, keepChoice } from "./storage.js";
import { LANGUAGES, STRINGS } from "./strings.js";

const RIGHT_TO_LEFT = new Set(["ar", "fa", "he", "ur"]);
const TRANSLATED_ATTRIBUTES = ["aria-label", "title", "placeholder", "alt"];

const codes = Object.keys(LANGUAGES);
const table = new Map(STRINGS.map((row) => [row[0], row]));
const originals = new WeakMap(); // English texts of nodes and elements

let language = "en";

/** The language that was chosen, or else the first of the browser's that there is. */
export function startLanguage() {
  const wanted = [choice("language", ""), ...navigator.languages.map((name) => name.slice(0, 2))];
  setLanguage(wanted.find((code) => codes.includes(code)) ?? "en");
}

/** Translate all of the page, and what `t` will give. */
export function setLanguage(code) {
  language = code;
  document.documentElement.lang = code;
  document.documentElement.dir = RIGHT_TO_LEFT.has(code) ? "rtl" : "ltr";
  translate(document.body);
}

export function chooseLanguage(code) {
  keepChoice("language", code);
  setLanguage(code);
}

export function currentLanguage() {
  return language;
}

/** A text in the reader's language, with {name} replaced by values. */
export function t(text, values = {}) {
  const said = table.get(text)?.[codes.indexOf(language)] || text;
  return said.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

function translate(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.parentElement.closest("[data-own], #language")) continue;
    if (!originals.has(node)) originals.set(node, node.data);
    const english = originals.get(node);
    const core = english.trim();
    if (table.has(core)) node.data = english.replace(core, t(core));
  }
  for (const element of root.querySelectorAll("*")) {
    for (const name of TRANSLATED_ATTRIBUTES) {
      if (!element.hasAttribute(name)) continue;
      const kept = originals.get(element) ?? {};
      kept[name] ??= element.getAttribute(name);
      originals.set(element, kept);
      element.setAttribute(name, withKeys(kept[name]));
    }
  }
}

/** A title may end with its keys in brackets, which are the same everywhere. */
function withKeys(text) {
  const [, words, keys] = text.match(/^(.*?)( \([^()]*\))?$/);
  return table.has(text) ? t(text) : `${t(words)}${keys ?? ""}`;
}
