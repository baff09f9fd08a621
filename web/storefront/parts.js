// What several pages are made of.

import { html, live, nothing } from "../vendor/lit.js";
import { icon } from "../shared/icons.js";
import { money } from "../shared/money.js";
import { empty } from "../shared/parts.js";

/** @typedef {import("../shared/catalogue.js").Shown} Shown */

/** A colour for a category, the same on every page. @param {string} text */
function tint(text) {
  let sum = 0;
  for (const letter of text) sum = (sum * 21 + (letter.codePointAt(0) ?? 0)) % 1009;
  return sum % 7;
}

/** @param {Event} event */
const failed = (event) => /** @type {Element} */ (event.target).parentElement?.classList.add("broken");
/** @param {Event} event */
const loaded = (event) => /** @type {Element} */ (event.target).parentElement?.classList.remove("broken");

/**
 * A product's picture, or its first letter where there is none or it does not come. The name stands beside it, so the
 * picture says nothing of its own.
 *
 * @param {{ name: string, category?: string | null | undefined, image_url?: string | null | undefined }} product
 * @param {{ eager?: boolean }} [how]
 */
export function picture({ name, category, image_url }, { eager = false } = {}) {
  // The policy of our pages lets pictures come by https and from here.
  const usable = image_url && !image_url.startsWith("http:");
  return html`<span class="picture tint-${tint(category ?? name)} ${usable ? "" : "broken"}">
    <span class="letter" aria-hidden="true">${Array.from(name.trim())[0] ?? ""}</span>
    ${usable
      ? html`<img src=${image_url} alt="" width="400" height="400" loading=${eager ? "eager" : "lazy"}
          fetchpriority=${eager ? "high" : "auto"} decoding="async" referrerpolicy="no-referrer" @error=${failed} @load=${loaded} />`
      : nothing}
  </span>`;
}

/** @param {Pick<Shown, "stock" | "in_stock">} product */
export function availability({ stock = 0, in_stock = stock > 0 }) {
  if (!in_stock) return html`<span class="stock none">Sold out</span>`;
  if (stock > 0 && stock <= 5) return html`<span class="stock few">Only ${stock} left</span>`;
  return html`<span class="stock some">In stock</span>`;
}

/** @param {Shown} product @param {boolean} [eager] */
export const card = (product, eager = false) => html`<li class="card">
  <a href="/p/${encodeURIComponent(product.id)}">
    ${picture(product, { eager })}
    <span class="card-text">
      ${product.category ? html`<span class="eyebrow">${product.category}</span>` : nothing}
      <span class="name">${product.name}</span>
      <span class="row"><span class="price">${money(Number(product.price), product.currency)}</span>${availability(product)}</span>
    </span>
  </a>
</li>`;

/** As many cards as will come, so that nothing moves when they do. @param {number} count */
export const skeletonCards = (count) => html`<ul class="grid" aria-hidden="true">
  ${Array.from({ length: count }, () => html`<li class="card skeleton"><span class="picture"></span><span class="card-text"><span class="bone short"></span><span class="bone"></span><span class="bone short"></span></span></li>`)}
</ul>`;

/**
 * How many: two buttons and a number that can be typed.
 *
 * @param {{ value: number, most: number, name: string, set: (next: number) => void }} what
 */
export function quantity({ value, most, name, set }) {
  /** @param {number} next */
  const within = (next) => Math.min(Math.max(Math.trunc(next) || 1, 1), Math.max(most, 1));
  return html`<div class="quantity" role="group" aria-label="Quantity of ${name}">
    <button type="button" aria-label="One less" ?disabled=${value <= 1} @click=${() => set(within(value - 1))}>${icon("minus")}</button>
    <input type="number" inputmode="numeric" aria-label="Quantity" min="1" max=${most} .value=${live(String(value))}
      @change=${(/** @type {Event} */ event) => set(within(Number(/** @type {HTMLInputElement} */ (event.target).value)))} />
    <button type="button" aria-label="One more" ?disabled=${value >= most} @click=${() => set(within(value + 1))}>${icon("plus")}</button>
  </div>`;
}

/** @type {import("../shared/router.js").Setup} */
export const notFound = () => ({
  title: () => "Not found",
  view: () =>
    empty({
      heading: "There is nothing here",
      text: "The address may be mistyped, or what was here is gone.",
      sign: "search",
      action: html`<a class="button" href="/">To the shop</a>`,
    }),
});
