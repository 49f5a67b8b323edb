// What survives a reload: photos and strokes in this browser's IndexedDB, choices in localStorage.

const NAME = "regionwise";
const TAB = "regionwise.tab";
export const KEPT_DAYS = 7;
const FORGET_AFTER = KEPT_DAYS * 24 * 3600 * 1000; // milliseconds

let opened = null;

/** A name that nothing else has; crypto.randomUUID is only for https and localhost. */
export function freshKey() {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(36)).join("-");
}

/** Each tab has its own work. */
function tabName() {
  let name = sessionStorage.getItem(TAB);
  if (!name) {
    name = freshKey();
    sessionStorage.setItem(TAB, name);
  }
  return name;
}

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("tabs");
      request.result.createObjectStore("files");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

/** Do something with a store; gives what its request gives. */
async function inStore(name, mode, work) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(name, mode);
    const request = work(transaction.objectStore(name));
    transaction.oncomplete = () => resolve(request?.result);
    transaction.onerror = () => reject(transaction.error);
  });
}

/** Keep a photo's file. */
export async function keepFile(key, file) {
  await inStore("files", "readwrite", (store) => store.put(file, key));
}

export async function dropFile(key) {
  await inStore("files", "readwrite", (store) => store.delete(key));
}

/** Keep what was done: the photos' `data()` and which one is shown. */
export async function keepWork(photos, current) {
  const work = { photos, current, time: Date.now() };
  await inStore("tabs", "readwrite", (store) => store.put(work, tabName()));
}

/** What this tab kept, or another that was closed: {photos, current}, each photo with its file. */
export async function loadWork(name = tabName()) {
  const work = await inStore("tabs", "readonly", (store) => store.get(name));
  if (!work) return null;
  for (const photo of work.photos) {
    photo.file = await inStore("files", "readonly", (store) => store.get(photo.key));
  }
  return { ...work, photos: work.photos.filter((photo) => photo.file) };
}

/** A tab is known to be open by the lock that it holds. Browsers have locks on https and localhost. */
export function holdTab() {
  navigator.locks?.request(`${TAB}.${tabName()}`, () => new Promise(() => {}));
}

/** The work of tabs that were closed, the last one first: [{name, photos, current, time}]. */
export async function closedWork() {
  await forgetOld();
  const held = (await navigator.locks?.query())?.held ?? [];
  const open = new Set([tabName(), ...held.map((lock) => lock.name.slice(TAB.length + 1))]);
  const names = await inStore("tabs", "readonly", (store) => store.getAllKeys());
  const works = [];
  for (const name of names.filter((one) => !open.has(one))) {
    const work = await loadWork(name);
    if (work.photos.length) works.push({ name, ...work });
  }
  return works.sort((one, other) => other.time - one.time);
}

/** Forget the work of a tab; its files too, unless this tab has taken them over. */
export async function forgetWork({ name, photos }, { files }) {
  await inStore("tabs", "readwrite", (store) => store.delete(name));
  if (files) for (const photo of photos) await dropFile(photo.key);
}

/** Tabs that were closed days ago, and files that no tab uses. */
async function forgetOld() {
  const names = await inStore("tabs", "readonly", (store) => store.getAllKeys());
  const used = new Set();
  for (const name of names) {
    const work = await inStore("tabs", "readonly", (store) => store.get(name));
    if (work.time < Date.now() - FORGET_AFTER) {
      await inStore("tabs", "readwrite", (store) => store.delete(name));
    } else {
      for (const photo of work.photos) used.add(photo.key);
    }
  }
  const keys = await inStore("files", "readonly", (store) => store.getAllKeys());
  for (const key of keys) if (!used.has(key)) await dropFile(key);
}

/** A choice that was made before. */
export function choice(name, otherwise) {
  const kept = localStorage.getItem(`${NAME}.${name}`);
  return kept === null ? otherwise : JSON.parse(kept);
}

export function keepChoice(name, value) {
  localStorage.setItem(`${NAME}.${name}`, JSON.stringify(value));
}
