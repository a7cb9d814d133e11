/** Bars and figures of jobs that only got on: written onto what stands there. Swapped, 250 a second cost twice as much. */

const MOVES = 'progress[id], span[id^="percent-"]';
const fresh = document.createElement("template");

/** Whether a message was nothing but such, and is done. @param {string} html */
export function moved(html) {
  if (!html.startsWith("<progress")) return false;
  fresh.innerHTML = html;
  const parts = [...fresh.content.children];
  if (!parts.every((part) => part.matches(MOVES))) return false;
  for (const part of parts) {
    const here = document.getElementById(part.id);
    if (here instanceof HTMLProgressElement && part instanceof HTMLProgressElement) here.value = part.value;
    else if (here) here.textContent = part.textContent;
  }
  return true;
}
