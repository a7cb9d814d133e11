/** Requests that the server did not do: it was not reached, or it answered with a 5xx. What it refuses it says itself. */

/** @param {(source: Element, status: number) => void} act status: 0 where no answer came */
export function onFailure(act) {
  for (const name of ["htmx:error", "htmx:response:error"])
    document.addEventListener(name, (event) => {
      const { ctx } = event instanceof CustomEvent ? /** @type {HtmxDetail} */ (event.detail) : {};
      const status = name === "htmx:error" ? 0 : (ctx?.response?.status ?? 0);
      const isFeed = ctx?.sourceElement?.hasAttribute("hx-sse:connect"); // stream.js tells of that one
      if (ctx?.sourceElement && !isFeed && (status === 0 || status >= 500)) act(ctx.sourceElement, status);
    });
}
