// A list of products that is read page by page: the home page's, and the one of what was found.

import { batch, html, nothing, signal } from "../vendor/lit.js";
import { explain } from "../shared/api.js";
import { card, skeletonCards } from "./parts.js";
import { empty } from "../shared/parts.js";

/** @typedef {import("../shared/catalogue.js").Shown} Shown */
/** @typedef {import("../shared/catalogue.js").Found} Found */

/** @param {(cursor: string | undefined, signal: AbortSignal) => Promise<Found>} load */
export function listing(load) {
  const products = signal(/** @type {Shown[] | undefined} */ (undefined));
  const cursor = signal(/** @type {string | undefined} */ (undefined));
  const total = signal(/** @type {number | undefined} */ (undefined));
  const failure = signal(/** @type {unknown} */ (undefined));
  const busy = signal(false);
  let asked = new AbortController();

  /** @param {boolean} more */
  async function read(more) {
    asked.abort();
    asked = new AbortController();
    const mine = asked.signal;
    batch(() => {
      busy.value = true;
      failure.value = undefined;
    });
    try {
      const found = await load(more ? cursor.peek() : undefined, mine);
      if (mine.aborted) return;
      batch(() => {
        const before = more ? (products.peek() ?? []) : [];
        const ids = new Set(before.map(({ id }) => id));
        products.value = [...before, ...found.products.filter(({ id }) => !ids.has(id))];
        cursor.value = found.cursor;
        total.value = found.total;
        busy.value = false;
      });
    } catch (error) {
      if (mine.aborted) return;
      batch(() => {
        failure.value = error;
        busy.value = false;
      });
    }
  }

  async function more() {
    const before = products.peek()?.length ?? 0;
    await read(true);
    // Reading goes on with the first of the new ones.
    requestAnimationFrame(() => {
      const next = document.querySelectorAll("main .grid > .card a")[before];
      if (next instanceof HTMLElement) next.focus();
    });
  }

  /** @param {unknown} none what is shown where there are no products */
  function view(none) {
    const shown = products.value;
    if (failure.value !== undefined && !shown?.length) {
      return empty({
        heading: "The products did not come",
        text: explain(failure.value),
        sign: "wifi-off",
        level: 2,
        action: html`<button class="button" @click=${() => read(false)}>Try again</button>`,
      });
    }
    if (shown === undefined) return skeletonCards(8);
    if (shown.length === 0) return none;
    return html`<ul class="grid">${shown.map((one, at) => card(one, at < 4))}</ul>
      ${cursor.value === undefined
        ? nothing
        : html`<p class="more"><button class="button quiet" ?disabled=${busy.value} @click=${more}>${busy.value ? "Loading" : "Show more"}</button></p>`}
      ${failure.value === undefined ? nothing : html`<p class="mistake" role="alert">${explain(failure.value)}</p>`}`;
  }

  return { products, cursor, total, busy, failure, read, view };
}
