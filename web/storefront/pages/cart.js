import { html, nothing } from "../../vendor/lit.js";
import { say } from "../../shared/announce.js";
import { icon } from "../../shared/icons.js";
import { money } from "../../shared/money.js";
import { QUANTITY_AT_MOST, count, lines, set } from "../cart.js";
import { picture, quantity as stepper } from "../parts.js";
import { empty, notice, unreachable } from "../../shared/parts.js";
import { failure, follow, lineTotal, obstacle, priced, refresh, totals } from "../priced.js";

/** @typedef {import("../priced.js").Priced} Priced */

/** @param {string} id @param {string} name */
function remove(id, name) {
  const at = lines.peek().findIndex((line) => line.id === id);
  set(id, 0);
  say(`${name} taken out of the cart`);
  // The button that was pressed is gone: go on with its neighbour.
  requestAnimationFrame(() => {
    const left = document.querySelectorAll(".lines .remove");
    const next = left[Math.min(at, left.length - 1)] ?? document.querySelector("main h1");
    if (next instanceof HTMLElement) {
      if (next.tagName === "H1") next.tabIndex = -1;
      next.focus();
    }
  });
}

/** @param {Priced} line */
function row(line) {
  const { id, quantity, product } = line;
  if (product === undefined) return html`<li class="line skeleton"><span class="picture"></span><span class="line-text"><span class="bone"></span><span class="bone short"></span></span></li>`;
  const name = product?.name ?? id;
  const wrong = obstacle(line);
  const most = Math.min(product?.stock ?? 1, QUANTITY_AT_MOST);
  return html`<li class="line">
    ${picture(product ?? { name })}
    <div class="line-text">
      ${product ? html`<a class="name" href="/p/${encodeURIComponent(id)}">${name}</a>` : html`<span class="name">${name}</span>`}
      ${product ? html`<span class="quiet-text">${money(Number(product.price), product.currency)} each</span>` : nothing}
      ${wrong === undefined
        ? nothing
        : html`<p class="mistake">${wrong}${product && product.stock > 0 ? html` <button class="link" @click=${() => set(id, product.stock)}>Take ${product.stock}</button>` : nothing}</p>`}
    </div>
    ${product && product.stock > 0 ? stepper({ value: quantity, most: Math.max(most, 1), name, set: (next) => set(id, next) }) : html`<span></span>`}
    <span class="line-price">${product ? money(lineTotal(product, quantity), product.currency) : nothing}</span>
    <button class="remove" aria-label="Take ${name} out of the cart" @click=${() => remove(id, name)}>${icon("trash-2")}</button>
  </li>`;
}

/** @type {import("../../shared/router.js").Setup} */
export const cart = () => {
  return {
    title: () => "Cart",
    ...follow(),
    view: () => {
      const all = priced();
      if (all.length === 0) {
        return empty({
          heading: "Your cart is empty",
          text: "Find something that is worth keeping.",
          sign: "shopping-bag",
          action: html`<a class="button" href="/find">Look around</a>`,
        });
      }
      const sums = totals(all);
      const isBlocked = all.some((line) => obstacle(line) !== undefined) || sums.length > 1;
      const isKnown = all.every(({ product }) => product !== undefined);
      if (failure.value !== undefined && all.some(({ product }) => product === undefined)) return unreachable(refresh, 1);
      return html`<div class="inner">
        <div class="title-row"><h1>Cart</h1><p class="quiet-text">${count.value} ${count.value === 1 ? "item" : "items"}</p></div>
        <div class="two">
          <ul class="lines">${all.map(row)}</ul>
          <aside class="summary" aria-label="Total">
            ${sums.map(({ currency, amount }) => html`<p class="row total"><span>Total</span><strong>${money(amount, currency)}</strong></p>`)}
            ${sums.length > 1 ? notice("bad", "An order is in one currency: take some of these out, and order them by themselves.") : nothing}
            ${isBlocked && sums.length < 2 ? html`<p class="mistake">Some of this cannot be ordered as it is.</p>` : nothing}
            ${isBlocked || !isKnown
              ? html`<button class="button wide" disabled>Checkout</button>`
              : html`<a class="button wide" href="/checkout">Checkout</a>`}
            <p class="quiet-text">Prices are the catalogue’s, as they are now.</p>
          </aside>
        </div>
      </div>`;
    },
  };
};
