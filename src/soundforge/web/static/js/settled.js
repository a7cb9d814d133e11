/** What scripts write onto elements that a message may have replaced: again after each swap, at most once a frame. */

/** @param {() => void} act */
export function onSettled(act) {
  let isDue = false;
  const run = () => {
    isDue = false;
    act();
  };
  document.addEventListener("htmx:after:settle", () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(run);
  });
}
