/**
 * `<sf-upload data-url>`: drop or pick several files; one request each, two at a time, with progress.
 *
 * POST <url>?name=<file name>, the file as the body: it streams to disk as it comes. 2xx: {"message"?}.
 * Else {"error": {"message"}} or {"detail"}: shown in words beside the file.
 * Files dropped anywhere on the page go to the first `<sf-upload>` there is.
 */

import { announce } from "./words.js";

const AT_ONCE = 2;

class Upload extends HTMLElement {
  /** @type {{ file: File, row: HTMLElement }[]} */
  #waiting = [];
  #going = 0;

  connectedCallback() {
    const input = this.querySelector('input[type="file"]');
    if (!(input instanceof HTMLInputElement)) return;
    input.addEventListener("change", () => {
      this.take([...(input.files ?? [])]);
      input.value = "";
    });
  }

  /** @param {File[]} files */
  take(files) {
    for (const file of files) this.#waiting.push({ file, row: this.#row(file) });
    while (this.#going < AT_ONCE && this.#waiting.length) this.#send();
  }

  /** @param {File} file */
  #row(file) {
    const row = document.createElement("div");
    row.className = "upload";
    const name = document.createElement("span");
    name.className = "clip";
    name.dir = "auto";
    name.textContent = file.name;
    const state = document.createElement("span");
    state.className = "upload-state";
    state.textContent = "waiting";
    const bar = document.createElement("progress");
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", `Progress of ${file.name}`);
    row.append(name, state, bar);
    this.querySelector(".uploads")?.append(row);
    return row;
  }

  #send() {
    const next = this.#waiting.shift();
    if (!next) return;
    this.#going++;
    const { file, row } = next;
    const bar = row.querySelector("progress");
    const request = new XMLHttpRequest();
    request.open("POST", `${this.dataset.url ?? ""}?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => {
      if (bar) bar.value = total ? loaded / total : 0;
      this.#say(row, loaded === total ? "checking" : `${Math.floor((100 * loaded) / total)} %`);
    };
    request.onload = () => this.#answered(row, file, request);
    request.onerror = () => this.#fail(row, file, "The server could not be reached.");
    request.onloadend = () => {
      this.#going--;
      this.#send();
    };
    request.send(file);
  }

  /** @param {HTMLElement} row @param {File} file @param {XMLHttpRequest} request */
  #answered(row, file, request) {
    if (request.status >= 200 && request.status < 300) {
      row.dataset.state = "completed";
      row.querySelector("progress")?.remove();
      this.#say(row, request.response?.message ?? "imported");
      this.dispatchEvent(new CustomEvent("sf:uploaded", { detail: request.response, bubbles: true }));
      return;
    }
    const { error, detail } = request.response ?? {};
    const told = error?.message ?? error?.sentence ?? (typeof detail === "string" ? detail : "");
    this.#fail(row, file, told || WORDS[request.status] || `The server refused the file (${request.status}).`);
  }

  /** @param {HTMLElement} row @param {File} file @param {string} sentence */
  #fail(row, file, sentence) {
    row.dataset.state = "failed";
    row.querySelector("progress")?.remove();
    this.#say(row, "refused");
    const told = document.createElement("p");
    told.textContent = sentence;
    row.append(told);
    announce(`${file.name}: ${sentence}`);
  }

  /** @param {HTMLElement} row @param {string} text */
  #say(row, text) {
    const state = row.querySelector(".upload-state");
    if (state) state.textContent = text;
  }
}

/** @type {Record<number, string>} */
const WORDS = {
  401: "Please sign in again.",
  413: "The file is too large.",
  415: "This kind of file cannot be read.",
  507: "The disk is full.",
};

customElements.define("sf-upload", Upload);

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
document.addEventListener("drop", (event) => {
  dropping(false);
  const upload = document.querySelector("sf-upload");
  if (!carriesFiles(event) || !(upload instanceof Upload)) return;
  event.preventDefault();
  const dialog = upload.closest("dialog");
  if (dialog && !dialog.open) dialog.showModal();
  upload.take([...(event.dataTransfer?.files ?? [])]);
});
