// Results on their way out: downloaded, copied, written to a folder.

import { t } from "./language.js";
import { complain, say } from "./notices.js";
import { fetchFile, fetchZip, saveOnServer } from "./server.js";
import { choice, keepChoice } from "./storage.js";

const find = (selector) => document.querySelector(selector);

export class Exports {
  constructor(desk) {
    this.desk = desk;
    this.onServer = false;
    this.pattern = find("#pattern");
    this.pattern.value = choice("pattern", "{name}_filled");
    this.pattern.addEventListener("change", () => {
      if (!this.pattern.value.trim()) this.pattern.value = "{name}_filled";
      keepChoice("pattern", this.pattern.value);
    });
    find("#save-folder").addEventListener("click", () => this.saveToFolder());
    find("#save-server").addEventListener("click", () => this.saveAllOnServer());
    find("#download-all").addEventListener("click", () => this.downloadAll());
  }

  /** The server said whether it has a folder to write to. */
  connect({ saves }) {
    this.onServer = saves;
    find("#save-server").hidden = !saves;
    find("#save-folder").hidden = !window.showDirectoryPicker;
  }

  update() {
    const none = !this.desk.photos.some((photo) => photo.result);
    for (const id of ["#save-folder", "#save-server"]) find(id).disabled = none;
  }

  /** What a photo's result is called by the pattern, with the photo's own suffix. */
  nameOf(photo) {
    const { name } = photo.info;
    if (!photo.result) return name;
    const number = this.desk.photos.indexOf(photo) + 1;
    const made = this.pattern.value.replaceAll("{name}", stem(name)).replaceAll("{number}", number);
    const clean = made.replace(/[\\/:*?"<>|\u0000-\u001f]/g, "_").replace(/^\.+/, "_");
    return `${clean}${name.slice(stem(name).length)}`;
  }

  async download() {
    const { photo } = this.desk;
    if (!photo) return;
    await this.tell(async () => saveFile(await this.fileOf(photo), this.nameOf(photo)));
  }

  async downloadAll() {
    const photos = this.desk.photos.map((photo) => ({ id: photo.info.id, result: photo.result }));
    await this.tell(async () => saveFile(await fetchZip(photos), "photos_filled.zip"));
  }

  /** The shown picture on the clipboard, as a PNG: that is what clipboards take. */
  async copy() {
    const { photo } = this.desk;
    if (!photo) return;
    if (!navigator.clipboard?.write) {
      say(t("Browsers copy pictures on https and localhost alone. Download it instead."));
      return;
    }
    await this.tell(async () => {
      const file = this.fileOf(photo, "PNG");
      await navigator.clipboard.write([new ClipboardItem({ "image/png": file })]);
      say(t("The picture is copied."));
    });
  }

  async saveToFolder() {
    let folder;
    try {
      folder = await window.showDirectoryPicker({ mode: "readwrite" });
    } catch (error) {
      complain(error); // closing the dialog is no mistake, and not told
      return;
    }
    await this.each(async (photo) => {
      const file = await folder.getFileHandle(await unusedName(folder, this.nameOf(photo)), { create: true });
      const stream = await file.createWritable();
      await stream.write(await this.fileOf(photo));
      await stream.close();
    });
  }

  async saveAllOnServer() {
    await this.each((photo) => saveOnServer(photo.info.id, photo.result, this.nameOf(photo)));
  }

  async each(save) {
    const filled = this.desk.photos.filter((photo) => photo.result);
    await this.tell(async () => {
      for (const photo of filled) await save(photo);
      say(t("{count} saved.", { count: filled.length }));
    });
  }

  fileOf(photo, format) {
    const onBusy = () => this.desk.status(t("The server is busy; waiting…"));
    const { filler } = this.desk;
    return filler.withPhoto(photo, null, () => fetchFile(photo.info.id, photo.result, { format, onBusy }));
  }

  async tell(work) {
    this.desk.status(t("Writing the file…"));
    try {
      await work();
    } catch (error) {
      complain(error);
    }
    this.desk.status("");
  }
}

/** A file's name without its suffix. */
export function stem(name) {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(0, dot) : name;
}

/** Nothing in the folder is written over. */
async function unusedName(folder, name) {
  for (let number = 1; ; number += 1) {
    const tried = number === 1 ? name : `${stem(name)}-${number}${name.slice(stem(name).length)}`;
    try {
      await folder.getFileHandle(tried);
    } catch {
      return tried;
    }
  }
}

/** Give a file to the browser to keep. */
export function saveFile(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
