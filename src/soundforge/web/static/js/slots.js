/**
 * Over HTTP/1.1 a browser opens six connections to a host, and a feed takes one for as long as it lives: seven windows
 * side by side would wait for each other for ever. So at most four of them listen, and the one in use always does.
 * A slot is a lock that all windows of this browser see; where there are no locks (plain http from elsewhere) all listen.
 */

const MOST = 4;
const locks = /** @type {LockManager | undefined} */ (navigator.locks);
const names = Array.from({ length: MOST }, (_, number) => `feed-${number}`);

/** @type {(() => void) | null} gives the slot back */
let free = null;

/** Whether this window may listen. */
export const holds = () => !locks || free !== null;

export function give() {
  free?.();
  free = null;
}

/** @param {string} name @param {LockOptions} options @param {() => void} onLost @returns {Promise<boolean>} */
function ask(name, options, onLost) {
  return new Promise((resolve) => {
    const held = locks?.request(name, options, (lock) => {
      if (!lock) return resolve(false);
      return new Promise((release) => {
        give();
        free = () => release(undefined);
        resolve(true);
      });
    });
    held?.catch(() => {
      // another window, the one in use, took it
      free = null;
      onLost();
    });
  });
}

/**
 * Takes a slot if there is one.
 * @param {() => void} onLost another window needs it @param {boolean} [anyhow] take one from another window
 */
export async function take(onLost, anyhow = false) {
  if (holds()) return true;
  for (const name of names) if (await ask(name, { ifAvailable: true }, onLost)) return true;
  return anyhow ? ask(names[Math.floor(Math.random() * MOST)] ?? "", { steal: true }, onLost) : false;
}
