/**
 * `<sf-mixes data-track>`: the saved mixes of a track. What one does is kept by itself a moment later, and is there
 * again when the page comes back; under a name it can be called up, lent by a link, and rendered to a file.
 * With `data-state` (a shared mix) the state is shown, and nothing is kept.
 */

import { ask } from "./ask.js";
import { mixOf } from "./mix.js";
import { announce, toast } from "./words.js";

/** @typedef {{ id: string, name: string, state: any, link: string | null }} Saved */

const PAUSE_MS = 800;

class Mixes extends HTMLElement {
  #stop = new AbortController();
  #timer = 0;
  #calling = false; // up what is kept already
  /** @type {Saved[]} */
  #saved = [];

  connectedCallback() {
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    if (this.dataset.state) return this.#mix.load(JSON.parse(this.dataset.state));
    this.addEventListener("submit", (event) => this.#submit(event), { signal });
    this.addEventListener("click", (event) => this.#press(event), { signal });
    this.#mix.addEventListener("change", () => this.#later(), { signal });
    void this.#read(true);
  }

  disconnectedCallback() {
    this.#stop.abort();
    if (this.#timer) void this.#keep();
  }

  get track() {
    return this.dataset.track ?? "";
  }

  get #mix() {
    return mixOf(this.track);
  }

  /** @param {boolean} [first] then what one left is called up, unless something was set here already */
  async #read(first = false) {
    const saved = await ask("GET", `/api/v1/tracks/${this.track}/mixes`);
    if (!saved) return;
    this.#saved = saved;
    const left = this.#saved.find(({ name }) => name === "");
    if (first && left && !this.#mix.touched) {
      this.#calling = true;
      this.#mix.load(left.state);
      this.#calling = false;
    }
    this.#list();
  }

  #later() {
    if (this.#calling) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#keep(), PAUSE_MS);
  }

  async #keep(name = "") {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const state = name ? this.#whole : this.#mix.state;
    return ask("PUT", `/api/v1/tracks/${this.track}/mixes`, { name, state });
  }

  /** The mix with the stems it is heard with, also where nobody chose them. */
  get #whole() {
    const tools = this.closest("sf-tools");
    const shown = tools instanceof HTMLElement ? tools.dataset.set : "";
    return { ...this.#mix.state, stems_job: shown || this.#mix.state.stems_job };
  }

  /** @param {SubmitEvent} event */
  #submit(event) {
    event.preventDefault();
    const form = event.target;
    if (!(form instanceof HTMLFormElement)) return;
    const value = String(new FormData(form).values().next().value ?? "").trim();
    if (form.dataset.act === "save") void this.#saveAs(value, form);
    if (form.dataset.act === "render") void this.#render(value);
  }

  /** @param {string} name @param {HTMLFormElement} form */
  async #saveAs(name, form) {
    if (!name || !(await this.#keep(name))) return;
    form.reset();
    await this.#read();
    announce(`Saved as ${name}`);
  }

  /** @param {string} format */
  async #render(format) {
    const asked = await ask("POST", `/api/v1/tracks/${this.track}/renders`, { format, state: this.#whole });
    if (asked) toast("The mix is being rendered; it shows under Download when it is ready.");
  }

  /** @param {Event} event */
  #press(event) {
    const button = event.target instanceof Element ? event.target.closest("li button") : null;
    const item = button?.closest("li");
    const saved = this.#saved.find(({ id }) => id === item?.dataset.mix);
    if (!(button instanceof HTMLButtonElement) || !saved) return;
    const { act } = button.dataset;
    if (act === "load") this.#load(saved);
    if (act === "link") void this.#share(saved);
    if (act === "unlink") void ask("DELETE", `/api/v1/mixes/${saved.id}/link`).then(() => this.#read());
    if (act === "remove") void ask("DELETE", `/api/v1/mixes/${saved.id}`).then(() => this.#read());
  }

  /** @param {Saved} saved */
  #load(saved) {
    this.#mix.load(saved.state);
    const other = document.querySelector(`[data-stems-job="${CSS.escape(saved.state.stems_job ?? "")}"][aria-pressed="false"]`);
    if (other instanceof HTMLElement) other.click();
    announce(`Mix ${saved.name}`);
  }

  /** @param {Saved} saved */
  async #share(saved) {
    const shared = await ask("POST", `/api/v1/mixes/${saved.id}/link`);
    if (!shared) return;
    const link = new URL(shared.link, location.href).href;
    const copied = await navigator.clipboard?.writeText(link).then(
      () => true,
      () => false,
    );
    toast(copied ? "Link copied. Everybody with an account here can listen." : `Everybody with an account here can listen: ${link}`);
    await this.#read();
  }

  #list() {
    const list = this.querySelector("ul");
    const template = this.querySelector("template");
    if (!list || !template) return;
    const items = this.#saved.filter(({ name }) => name !== "");
    list.replaceChildren(...items.map((saved) => this.#item(template, saved)));
  }

  /** @param {HTMLTemplateElement} template @param {Saved} saved */
  #item(template, saved) {
    const piece = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    const item = /** @type {HTMLElement} */ (piece.firstElementChild);
    item.dataset.mix = saved.id;
    for (const button of item.querySelectorAll("button")) {
      const label = button.getAttribute("aria-label");
      if (label) button.setAttribute("aria-label", `${label} ${saved.name}`);
      if (button.dataset.act === "load") button.textContent = saved.name;
      if (button.dataset.act === "unlink") button.hidden = !saved.link;
    }
    return item;
  }
}

customElements.define("sf-mixes", Mixes);

/** Other stems of this track were chosen: the mix remembers which; htmx brings them. */
document.addEventListener("click", ({ target }) => {
  const button = target instanceof Element ? target.closest("[data-stems-job]") : null;
  if (!(button instanceof HTMLElement)) return;
  const mix = mixOf(button.dataset.track ?? "");
  mix.stems_job = button.dataset.stemsJob ?? "";
  mix.set({});
});
