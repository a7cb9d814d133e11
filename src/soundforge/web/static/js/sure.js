/**
 * What cannot be undone is asked first: a form with `hx-confirm`, whose sentence names what goes and how much of it. The
 * dialog stands in base.html; Enter and Escape leave everything as it is.
 */

/** @typedef {{ ctx: { confirm?: string, sourceEvent?: SubmitEvent }, issueRequest: () => void, dropRequest: () => void }} Asked */

/** @param {string} selector @param {string} text */
function write(selector, text) {
  const element = document.querySelector(selector);
  if (element) element.textContent = text;
}

document.addEventListener("htmx:confirm", (event) => {
  const dialog = document.getElementById("sure");
  if (!(event instanceof CustomEvent) || !(dialog instanceof HTMLDialogElement)) return; // then the browser asks
  event.preventDefault();
  const { ctx, issueRequest, dropRequest } = /** @type {Asked} */ (event.detail);
  write("#sure-what", ctx.confirm ?? "");
  write("#sure [data-sure] span", ctx.sourceEvent?.submitter?.textContent?.trim() ?? "Do it");
  dialog.returnValue = "";
  dialog.addEventListener("close", () => (dialog.returnValue === "sure" ? issueRequest() : dropRequest()), { once: true });
  dialog.showModal();
});

document.addEventListener("click", ({ target }) => {
  const dialog = target instanceof Element && target.closest("[data-sure]") ? target.closest("dialog") : null;
  if (dialog instanceof HTMLDialogElement) dialog.close("sure");
});
