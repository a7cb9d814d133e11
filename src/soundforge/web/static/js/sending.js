/**
 * One file on its way to the studio. A small one goes in one request; one of more than 100 MB in parts, and goes on
 * where it broke off: after a pause, after the connection was lost, and after the page was closed, when the same file
 * is given again.
 *
 * POST <url>?name=<file name>, the file as the body. In parts: POST /api/v1/uploads {name, size_bytes} → {id, offset,
 * part_bytes}; PATCH /api/v1/uploads/<id> with Upload-Offset; GET of the same says how much is there. 2xx of the last
 * one: {job: {id}} or {job_id, message?}. Else {"error": {"message"}}.
 */

const IN_PARTS_ABOVE = 100 * 1024 * 1024;
const UPLOADS = "/api/v1/uploads";
const WAITS_MS = [500, 1500, 4000, 10_000];

/** @type {Record<number, string>} */
const WORDS = {
  401: "Please sign in again.",
  413: "The file is too large.",
  415: "This kind of file cannot be read.",
  507: "The disk is full.",
};

/** The server will not have it, and trying again is useless. */
export class Refused extends Error {}

/** @typedef {{ job?: { id: string } | null, job_id?: string, message?: string, offset?: number }} Answer */

export class Sending {
  #stop = new AbortController();
  #id = "";

  /** @param {File} file @param {string} url @param {(share: number) => void} onShare from 0 to 1 */
  constructor(file, url, onShare) {
    this.file = file;
    this.url = url;
    this.onShare = onShare;
  }

  /** Whether a pause loses nothing that was sent. */
  get inParts() {
    return this.file.size > Sending.limit;
  }

  static limit = IN_PARTS_ABOVE;

  /** Sends all of it, or what is left. Throws Refused, or an AbortError after `pause`. @returns {Promise<Answer>} */
  async send() {
    this.#stop = new AbortController();
    return this.inParts ? this.#parts() : this.#whole();
  }

  pause() {
    this.#stop.abort();
  }

  /** Takes back what was sent. */
  async cancel() {
    this.pause();
    const id = this.#id || localStorage.getItem(this.#mark);
    localStorage.removeItem(this.#mark);
    if (id && this.inParts) await fetch(`${UPLOADS}/${id}`, { method: "DELETE" });
  }

  /** What the browser remembers this file by. */
  get #mark() {
    return `upload ${this.file.name} ${this.file.size} ${this.file.lastModified}`;
  }

  async #whole() {
    const address = `${this.url}?name=${encodeURIComponent(this.file.name)}`;
    return this.#request("POST", address, this.file, {}, (loaded) => loaded / (this.file.size || 1));
  }

  async #parts() {
    let { offset, part_bytes } = await this.#begin();
    for (let failed = 0; ; ) {
      const part = this.file.slice(offset, offset + part_bytes);
      const headers = { "Upload-Offset": String(offset), "Content-Type": "application/octet-stream" };
      try {
        const share = (/** @type {number} */ loaded) => (offset + loaded) / this.file.size;
        const answer = await this.#request("PATCH", `${UPLOADS}/${this.#id}`, part, headers, share);
        failed = 0;
        offset = answer.offset ?? offset + part.size;
        if (!answer.job) continue;
        localStorage.removeItem(this.#mark);
        return answer;
      } catch (error) {
        if (error instanceof Refused || this.#stop.signal.aborted) throw error;
        await this.#rest(failed++);
        const there = await this.#there();
        if (there) offset = there.offset; // after that, what came of the part that broke off is not sent again
      }
    }
  }

  /** @returns {Promise<{ id: string, offset: number, part_bytes: number }>} */
  async #begin() {
    this.#id = localStorage.getItem(this.#mark) ?? "";
    const known = this.#id ? await this.#there() : null;
    if (known) return known;
    const body = JSON.stringify({ name: this.file.name, size_bytes: this.file.size });
    const begun = await this.#request("POST", UPLOADS, body, { "Content-Type": "application/json" }, () => 0);
    const made = /** @type {{ id: string, offset: number, part_bytes: number }} */ (/** @type {unknown} */ (begun));
    this.#id = made.id;
    localStorage.setItem(this.#mark, made.id);
    return made;
  }

  /** How much is there; null where the server is not reached, or knows the upload no more. */
  async #there() {
    try {
      const answer = await fetch(`${UPLOADS}/${this.#id}`, { signal: this.#stop.signal });
      return answer.ok ? await answer.json() : null;
    } catch (error) {
      if (this.#stop.signal.aborted) throw error;
      return null;
    }
  }

  /** @param {number} failed times in a row */
  #rest(failed) {
    const wait = WAITS_MS[Math.min(failed, WAITS_MS.length - 1)];
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, wait);
      window.addEventListener("online", () => (clearTimeout(timer), resolve(null)), { once: true, signal: this.#stop.signal });
      this.#stop.signal.addEventListener("abort", () => (clearTimeout(timer), reject(this.#stop.signal.reason)), { once: true });
    });
  }

  /**
   * One request with progress, which `fetch` does not tell.
   * @param {string} method @param {string} address @param {Blob | string} body @param {Record<string, string>} headers
   * @param {(loaded: number) => number} share @returns {Promise<Answer>}
   */
  #request(method, address, body, headers, share) {
    const { signal } = this.#stop;
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open(method, address);
      for (const [name, value] of Object.entries({ Accept: "application/json", ...headers })) request.setRequestHeader(name, value);
      request.responseType = "json";
      request.upload.onprogress = ({ loaded }) => this.onShare(share(loaded));
      request.onload = () => (request.status < 300 ? resolve(request.response ?? {}) : reject(failure(request)));
      request.onerror = () => reject(new Error("The server could not be reached."));
      request.onabort = () => reject(signal.reason);
      signal.addEventListener("abort", () => request.abort(), { once: true });
      request.send(body);
    });
  }
}

/** What an answer that is none says: try again, or never. @param {XMLHttpRequest} request */
function failure(request) {
  const { error, detail } = request.response ?? {};
  const told = error?.message ?? (typeof detail === "string" ? detail : "");
  const sentence = told || WORDS[request.status] || `The server refused the file (${request.status}).`;
  const again = request.status >= 500 || ["wrong_offset", "upload_busy"].includes(error?.code);
  return again ? new Error(sentence) : new Refused(sentence);
}
