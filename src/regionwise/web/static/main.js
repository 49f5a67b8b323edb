// The page: photos in, paint, fill, results out. Each part is a module of its own; here they meet.

import { Desk } from "./desk.js";
import { chooseLanguage, currentLanguage, startLanguage, t } from "./language.js";
import { complain, say } from "./notices.js";
import { fetchModels, takeToken, useToken } from "./server.js";
import { choice, holdTab, keepChoice, loadWork } from "./storage.js";
import { LANGUAGES } from "./strings.js";
import { connectWelcome, showLast } from "./welcome.js";
import { fillHelp, listenForKeys } from "./shortcuts.js";

const find = (selector) => document.querySelector(selector);
const dark = matchMedia("(prefers-color-scheme: dark)");

takeToken();
startLanguage();
const desk = new Desk();

const tools = [...document.querySelectorAll("#tools [role=radio]")];

function chooseTool(name) {
  desk.tool = name;
  for (const button of tools) {
    const chosen = button.dataset.tool === name;
    button.setAttribute("aria-checked", String(chosen));
    button.tabIndex = chosen ? 0 : -1;
  }
  find("#stage").dataset.tool = name;
}

function setSize(size) {
  const input = find("#size");
  input.value = size;
  desk.brushSize = Number(input.value);
  find("#size-value").textContent = input.value;
  keepChoice("size", desk.brushSize);
}

/** Each press changes what is seen; what the system has is kept as "auto". */
function setTheme(theme) {
  keepChoice("theme", theme);
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  const shown = theme === "auto" ? (dark.matches ? "dark" : "light") : theme;
  for (const button of document.querySelectorAll("[data-action=theme]")) {
    button.title = shown === "dark" ? t("Light colours") : t("Dark colours");
  }
}

function nextTheme() {
  const kept = choice("theme", "auto");
  const shown = kept === "auto" ? (dark.matches ? "dark" : "light") : kept;
  const next = shown === "dark" ? "light" : "dark";
  setTheme((next === "dark") === dark.matches ? "auto" : next);
}

function togglePanel(open = !document.body.classList.contains("panel-open")) {
  document.body.classList.toggle("panel-open", open);
  find("#panel-toggle").setAttribute("aria-expanded", String(open));
  if (open) find("#panel").focus({ preventScroll: true });
}

const actions = {
  brush: () => chooseTool("brush"),
  select: () => chooseTool("select"),
  eraser: () => chooseTool("eraser"),
  rectangle: () => chooseTool("rectangle"),
  lasso: () => chooseTool("lasso"),
  hand: () => chooseTool("hand"),
  smaller: () => setSize(desk.brushSize / 1.2 - 1),
  larger: () => setSize(desk.brushSize * 1.2 + 1),
  invert: () => desk.do({ kind: "invert" }),
  clear: () => desk.clear(),
  undo: () => desk.undo(),
  redo: () => desk.redo(),
  fill: () => desk.filler.fill(),
  cancel: () => (document.body.classList.contains("panel-open") ? togglePanel(false) : desk.cancel()),
  original: () => desk.showOriginal(true),
  compare: () => desk.toggleCompare(),
  zoomIn: () => desk.zoom(1.3),
  zoomOut: () => desk.zoom(1 / 1.3),
  fit: () => desk.fit(),
  actual: () => desk.actualSize(),
  open: () => find("#file").click(),
  download: () => desk.exports.download(),
  copy: () => desk.exports.copy(),
  several: () => desk.filler.fillSeveral((photo, made) => desk.answers.show(photo, made)),
  shrink: () => desk.maskTools.change(-1),
  grow: () => desk.maskTools.change(1),
  loadMask: () => find("#mask-file").click(),
  saveMask: () => desk.maskTools.save().catch(complain),
  theme: () => nextTheme(),
  previous: () => desk.step(-1),
  next: () => desk.step(1),
  help: () => find("#help").showModal(),
};

function connectButtons() {
  for (const button of document.querySelectorAll("[data-action]")) {
    button.addEventListener("click", () => actions[button.dataset.action]());
  }
  tools.forEach((button, index) => {
    button.addEventListener("click", () => chooseTool(button.dataset.tool));
    button.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const other = tools[(index + step + tools.length) % tools.length];
      chooseTool(other.dataset.tool);
      other.focus();
    });
  });
  find("#size").addEventListener("input", (event) => setSize(event.target.value));
  dark.addEventListener("change", () => setTheme(choice("theme", "auto")));
  find("#panel-toggle").addEventListener("click", () => togglePanel());
  find("#panel-close").addEventListener("click", () => {
    togglePanel(false);
    find("#panel-toggle").focus();
  });
  find("#stage").addEventListener("pointerdown", () => togglePanel(false));
  find("#apply-all").addEventListener("click", () => desk.applyToAll());
  find("#fill-all").addEventListener("click", () => desk.filler.fillAll());
  find("#box-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const [x, y, width, height] = ["x", "y", "width", "height"].map((name) =>
      Number(event.target.elements[name].value),
    );
    const { info } = desk.photo;
    if (x >= info.width || y >= info.height) {
      complain(new Error(t("This rectangle lies outside the photo.")));
      return;
    }
    desk.do({ kind: "rectangle", erase: false, x, y, width, height });
  });
  holdOriginal(find("#original"));
}

/** A button that shows the original while it is held, by finger, mouse or key. */
function holdOriginal(button) {
  const held = (is) => () => desk.showOriginal(is);
  button.addEventListener("pointerdown", held(true));
  for (const end of ["pointerup", "pointerleave", "pointercancel", "blur", "keyup"]) {
    button.addEventListener(end, held(false));
  }
  button.addEventListener("keydown", (event) => {
    if (event.key === " " || event.key === "Enter") desk.showOriginal(true);
  });
  button.addEventListener("contextmenu", (event) => event.preventDefault());
}

function connectFiles() {
  const input = find("#file");
  input.addEventListener("change", () => {
    desk.open([...input.files]);
    input.value = "";
  });
  let depth = 0; // of elements that the file is dragged over
  document.addEventListener("dragenter", () => {
    depth += 1;
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", () => {
    depth -= 1;
    if (depth <= 0) document.body.classList.remove("dropping");
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    document.body.classList.remove("dropping");
    const files = [...event.dataTransfer.files];
    if (files.length) desk.open(files);
    else say(t("That was no file. Save the picture first, then drop it here."));
  });
  document.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    if (files.length) desk.open(files);
    else if (!event.target.matches?.("input, textarea")) {
      say(t("There is no picture on the clipboard. Copy the picture itself, not its address."));
    }
  });
}

/** The stage's frame is for those who walk through the page by Tab. */
function watchKeys() {
  const { dataset } = document.documentElement;
  document.addEventListener("keydown", (event) => {
    if (event.key === "Tab") dataset.keys = "true";
  });
  document.addEventListener("pointerdown", () => delete dataset.keys);
}

function connectLanguages() {
  const select = find("#language");
  select.replaceChildren(...Object.entries(LANGUAGES).map(([code, name]) => new Option(name, code)));
  select.value = currentLanguage();
  select.addEventListener("change", () => {
    chooseLanguage(select.value);
    fillHelp(find("#help"));
    setTheme(choice("theme", "auto"));
    promise();
    desk.connect(desk.limits);
    desk.update();
  });
}

function promise() {
  const local = /^(localhost|127\..*|\[::1\])$/.test(location.hostname);
  find("#promise").textContent = local
    ? t("Your photos stay on this computer.")
    : t("Your photos go to this server and nowhere else.");
}

function connectKeys() {
  fillHelp(find("#help"));
  listenForKeys(actions, {
    onSpace: (held) => desk.holdSpace(held),
    onRelease: () => desk.showOriginal(false),
  });
  find("#stage").addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
    if (event.target !== event.currentTarget || !step[event.key]) return;
    event.preventDefault();
    desk.move(...step[event.key]);
  });
}

/** Ask for the token until the server takes it. */
async function askForToken(error, again) {
  const dialog = find("#token-dialog");
  find("#token-wrong").textContent = again || error.status === 429 ? error.message : "";
  find("#token").value = "";
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  useToken(find("#token").value.trim());
}

async function models() {
  for (let again = false; ; again = true) {
    try {
      return await fetchModels();
    } catch (error) {
      if (error.status !== 401 && error.status !== 429) throw error;
      await askForToken(error, again);
    }
  }
}

async function start() {
  chooseTool("brush");
  setSize(choice("size", 40));
  setTheme(choice("theme", "auto"));
  connectButtons();
  connectFiles();
  connectKeys();
  connectLanguages();
  connectWelcome(desk);
  watchKeys();
  promise();
  desk.connect(await models());
  holdTab();
  const work = await loadWork().catch(() => null); // a browser may forbid it
  if (work?.photos.length) await desk.restore(work);
  else await showLast(desk).catch(() => {});
  document.body.dataset.ready = "true";
}

start().catch(complain);
