/** Asking the API from a script; a refusal is told in its own words. */

import { toast } from "./words.js";

/**
 * The answer, true where there is none; null after a refusal, which is told.
 * @param {"GET" | "POST" | "PUT" | "PATCH" | "DELETE"} method @param {string} path @param {object} [body] @returns {Promise<any>}
 */
export async function ask(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  const keepalive = method === "PUT"; // also when the page is being left
  const sent = fetch(path, { method, keepalive, ...(body ? { headers, body: JSON.stringify(body) } : {}) });
  const answer = await sent.catch(() => null);
  if (answer?.ok) return answer.status === 204 ? true : answer.json();
  const told = await answer?.json().catch(() => null);
  const fields = Object.values(told?.error?.fields ?? {});
  toast([told?.error?.message ?? "The server could not be reached. Nothing was changed.", ...fields].join(" "), "bad");
  return null;
}
