/**
 * `<sf-upload data-url>`: drop or pick files and whole folders; two are sent at a time, each with its progress, a pause
 * and a way to take it back. What came of each is told beside it: imported, already in the library, or why not.
 *
 * Files dropped anywhere on the page go to the first `<sf-upload>` there is.
 */

import { Refused, Sending } from "./sending.js";
import { announce } from "./words.js";

const AT_ONCE = 2;
const ASK_MS = 1500;
const MOST_ASKED = 200;

/** @typedef {"waiting" | "sending" | "paused" | "received" | "completed" | "failed"} State */
/** @typedef {{ sending: Sending, row: HTMLElement, state: State, job: string, again: number }} Item */

class Upload extends HTMLElement {
  /** @type {Item[]} */
  #items = [];
  #asking = 0;

  connectedCallback() {
    for (const input of this.querySelectorAll('input[type="file"]')) {
      if (!(input instanceof HTMLInputElement)) continue;
      input.addEventListener("change", () => {
        this.take([...(input.files ?? [])], input.webkitdirectory);
        input.value = "";
      });
    }
    this.addEventListener("click", ({ target }) => this.#pressed(target));
  }

  /**
   * @param {File[]} files @param {boolean} [sift] a folder holds other things too: only audio is taken
   * @param {number} [unread] how many more the folder holds that could not be read
   */
  take(files, sift = false, unread = 0) {
    const taken = sift ? files.filter(({ name }) => this.#endings.some((ending) => name.toLowerCase().endsWith(ending))) : files;
    const left = files.length - taken.length;
    const notes = [];
    if (left) notes.push(`${left} ${left === 1 ? "file is" : "files are"} no audio and ${left === 1 ? "was" : "were"} left out.`);
    if (unread) notes.push(`${unread} ${unread === 1 ? "file or folder" : "files or folders"} could not be read.`);
    if (!files.length && !unread) notes.push("This folder holds no files.");
    if (notes.length) this.#note(notes.join(" "));
    for (const file of taken) {
      /** @type {Item} */
      const item = { sending: new Sending(file, this.dataset.url ?? "", (share) => this.#share(item, share)), row: this.#row(file), state: "waiting", job: "", again: 0 };
      this.#items.push(item);
      this.#tell(item, "waiting", "waiting");
    }
    this.#go();
  }

  /** Whether something would be lost if the page were closed now. */
  get busy() {
    return this.#items.some(({ state }) => state === "sending" || state === "waiting");
  }

  get #endings() {
    const accept = this.querySelector('input[type="file"]')?.getAttribute("accept") ?? "";
    return accept.split(",").filter((part) => part.startsWith(".") && part !== ".csv");
  }

  #go() {
    while (this.#items.filter(({ state }) => state === "sending").length < AT_ONCE) {
      const next = this.#items.find(({ state }) => state === "waiting");
      if (!next) break;
      this.#send(next);
    }
    this.#count();
  }

  /** @param {Item} item */
  async #send(item) {
    this.#tell(item, "sending", "0 %");
    try {
      const answer = await item.sending.send();
      item.job = answer.job?.id ?? answer.job_id ?? "";
      this.#tell(item, item.job ? "received" : "completed", answer.message ?? "received");
      this.dispatchEvent(new CustomEvent("sf:uploaded", { detail: answer, bubbles: true }));
      if (item.job && !this.#asking) this.#asking = setTimeout(() => this.#ask(), ASK_MS);
    } catch (error) {
      if (item.state === "sending") this.#failed(item, error);
    }
    this.#go();
  }

  /** @param {Item} item @param {unknown} error */
  #failed(item, error) {
    const sentence = error instanceof Error ? error.message : "The server could not be reached.";
    this.#tell(item, "failed", error instanceof Refused ? "refused" : "not sent", sentence);
    announce(`${item.sending.file.name}: ${sentence}`);
  }

  /** @param {Item} item @param {number} share */
  #share(item, share) {
    const bar = item.row.querySelector("progress");
    if (bar) bar.value = share;
    if (item.state === "sending") this.#say(item.row, share >= 1 ? "checking" : `${Math.floor(100 * share)} %`);
  }

  /** @param {EventTarget | null} target */
  #pressed(target) {
    const button = target instanceof Element ? target.closest("[data-act]") : null;
    const item = this.#items.find(({ row }) => row.contains(button));
    if (!(button instanceof HTMLElement) || !item) return;
    if (button.dataset.act === "pause") this.#pause(item);
    if (button.dataset.act === "cancel") this.#cancel(item);
  }

  /** A pause, or the end of one. @param {Item} item */
  #pause(item) {
    if (item.state === "paused" || item.state === "failed") this.#tell(item, "waiting", "waiting");
    else {
      this.#tell(item, "paused", item.sending.inParts ? "paused" : "paused: begins anew");
      item.sending.pause();
    }
    this.#go();
  }

  /** @param {Item} item */
  async #cancel(item) {
    this.#items = this.#items.filter((other) => other !== item);
    item.state = "paused"; // what its sending says from now on is not told
    item.row.remove();
    this.#go();
    await item.sending.cancel();
  }

  /** What became of what was received: the imports say. */
  async #ask() {
    const untold = this.#items.filter(({ state }) => state === "received");
    this.#asking = untold.length ? setTimeout(() => this.#ask(), ASK_MS) : 0;
    if (!untold.length || document.hidden) return;
    const answer = await fetch(`/api/v1/jobs?kind=import&limit=${MOST_ASKED}`).catch(() => null);
    if (!answer?.ok) return;
    const { rows } = await answer.json();
    for (const item of untold) this.#heard(item, rows.find((/** @type {{ id: string }} */ { id }) => id === item.job));
    this.#count();
  }

  /** @param {Item} item @param {{ status: string, error: string | null, result: { duplicate?: boolean } } | undefined} job */
  #heard(item, job) {
    if (job?.status === "completed" && job.result.duplicate) {
      this.#tell(item, "completed", "already in your library");
      announce(`${item.sending.file.name} is in your library already`);
    } else if (job?.status === "completed") this.#tell(item, "completed", "imported");
    else if (job?.status === "failed") {
      this.#tell(item, "failed", "not imported", job.error ?? "");
      announce(`${item.sending.file.name}: ${job.error}`);
    } else if (!job && ++item.again > 20) this.#tell(item, "completed", "received"); // many others came since
  }

  /** @param {File} file */
  #row(file) {
    const template = this.querySelector("template");
    const piece = template?.content.firstElementChild?.cloneNode(true);
    const row = piece instanceof HTMLElement ? piece : document.createElement("div");
    const name = row.querySelector(".upload-name");
    if (name) name.textContent = file.name;
    row.querySelector("progress")?.setAttribute("aria-label", `Progress of ${file.name}`);
    for (const button of row.querySelectorAll("button")) {
      const label = `${button.title} ${file.name}`;
      button.setAttribute("aria-label", label);
    }
    this.querySelector(".uploads")?.append(row);
    return row;
  }

  /** @param {Item} item @param {State} state @param {string} word @param {string} [sentence] */
  #tell(item, state, word, sentence = "") {
    item.state = state;
    item.row.dataset.state = state;
    this.#say(item.row, word);
    const told = item.row.querySelector(".upload-told");
    if (told) told.textContent = sentence;
    const [pause, bar] = [item.row.querySelector("[data-act=pause]"), item.row.querySelector("progress")];
    const again = state === "paused" || (state === "failed" && !item.job && word !== "refused");
    if (pause instanceof HTMLButtonElement) {
      pause.hidden = !(again || state === "sending" || state === "waiting");
      pause.title = again ? "Go on" : "Pause";
      pause.setAttribute("aria-label", `${pause.title} ${item.sending.file.name}`);
      pause.querySelector("use")?.setAttribute("href", (pause.querySelector("use")?.getAttribute("href") ?? "").replace(/#.*/, again ? "#play" : "#pause"));
    }
    if (bar) bar.hidden = !["sending", "waiting", "paused"].includes(state);
  }

  /** @param {HTMLElement} row @param {string} text */
  #say(row, text) {
    const state = row.querySelector(".upload-state");
    if (state) state.textContent = text;
  }

  /** @param {string} text */
  #note(text) {
    const note = this.querySelector(".uploads-note");
    if (note) note.textContent = text;
    announce(text);
  }

  #count() {
    const sum = this.querySelector(".uploads-sum");
    const gone = this.#items.filter(({ state }) => ["received", "completed", "failed"].includes(state)).length;
    if (sum) sum.textContent = this.#items.length > 1 ? `${gone} of ${this.#items.length} files` : "";
  }
}

customElements.define("sf-upload", Upload);

/** Everything in what was dropped, folders to their last leaf. @param {DataTransfer} data */
async function filesIn(data) {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const isFolder = entries.some((entry) => entry.isDirectory);
  const plain = [...data.files];
  if (!isFolder) return { files: plain, isFolder, unread: 0 };
  const found = (await Promise.all(entries.map(leaves))).flat();
  const files = found.filter((file) => file !== null);
  return { files, isFolder, unread: found.length - files.length };
}

/** The files in it; null for each file or folder that cannot be read. @param {FileSystemEntry} entry @returns {Promise<(File | null)[]>} */
const leaves = (entry) => read(entry).catch(() => [null]);

/** @param {FileSystemEntry} entry @returns {Promise<(File | null)[]>} */
async function read(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject))];
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {FileSystemEntry[]} */
  const all = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // a hundred at a time
    if (!some.length) break;
    all.push(...some);
  }
  return (await Promise.all(all.map(leaves))).flat();
}

/** @param {DragEvent} event */
const carriesFiles = (event) => event.dataTransfer?.types.includes("Files") ?? false;

/** @param {boolean} on */
const dropping = (on) => document.body.toggleAttribute("data-dropping", on);

document.addEventListener("dragover", (event) => {
  if (!carriesFiles(event) || !document.querySelector("sf-upload")) return;
  event.preventDefault();
  dropping(true);
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) dropping(false);
});
document.addEventListener("drop", async (event) => {
  dropping(false);
  const upload = document.querySelector("sf-upload");
  if (!carriesFiles(event) || !(upload instanceof Upload) || !event.dataTransfer) return;
  event.preventDefault();
  const dialog = upload.closest("dialog");
  if (dialog && !dialog.open) dialog.showModal();
  const { files, isFolder, unread } = await filesIn(event.dataTransfer);
  upload.take(files, isFolder, unread);
});

window.addEventListener("beforeunload", (event) => {
  const upload = document.querySelector("sf-upload");
  if (upload instanceof Upload && upload.busy) event.preventDefault();
});
