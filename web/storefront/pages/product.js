import { html, nothing, signal } from "../../vendor/lit.js";
import { show } from "../../shared/announce.js";
import { Refused, explain } from "../../shared/api.js";
import { list, product as read, remembered } from "../../shared/catalogue.js";
import { icon } from "../../shared/icons.js";
import { money } from "../../shared/money.js";
import { QUANTITY_AT_MOST, add } from "../cart.js";
import { availability, card, picture, quantity as stepper } from "../parts.js";
import { empty, unreachable } from "../../shared/parts.js";

/** @typedef {import("../../shared/catalogue.js").Product} Product */

const skeleton = html`<div class="product skeleton" aria-hidden="true"><span class="picture"></span>
  <div class="product-text"><span class="bone short"></span><span class="bone tall"></span><span class="bone short"></span><span class="bone"></span><span class="bone"></span></div></div>`;

/** @type {import("../../shared/router.js").Setup} */
export const product = ({ id = "" }) => {
  const shown = signal(/** @type {Product | null | undefined} */ (remembered(id)));
  const failure = signal(/** @type {unknown} */ (undefined));
  const quantity = signal(1);
  const alike = signal(/** @type {Product[]} */ ([]));

  async function load() {
    failure.value = undefined;
    try {
      shown.value = (await read(id)) ?? null;
    } catch (error) {
      failure.value = error;
      return;
    }
    const category = shown.value?.category;
    if (!category) return;
    // What else there is is no reason to show a mistake.
    const found = await list({ category, limit: 5 }).catch(() => undefined);
    alike.value = (found?.products ?? []).filter((one) => one.id !== id).slice(0, 4);
  }
  const ready = load();

  /** @param {Product} one */
  function put(one) {
    if (!add(one.id, quantity.value)) {
      show({ text: "The cart is full: it takes a hundred products.", href: "/cart", label: "To the cart" });
      return;
    }
    show({ text: `${quantity.value} × ${one.name} in your cart`, href: "/cart", label: "To the cart" });
    quantity.value = 1;
  }

  /** @param {Product} one */
  const found = (one) => html`<div class="inner">
    <nav class="crumbs" aria-label="Where you are"><a href="/">Shop</a> <span aria-hidden="true">/</span>
      ${one.category ? html`<a href="/find?category=${encodeURIComponent(one.category)}">${one.category}</a> <span aria-hidden="true">/</span>` : nothing}
      <span>${one.name}</span></nav>
    <div class="product">
      ${picture(one, { eager: true })}
      <div class="product-text">
        ${one.category ? html`<p class="eyebrow">${one.category}</p>` : nothing}
        <h1>${one.name}</h1>
        <p class="price big">${money(Number(one.price), one.currency)}</p>
        <p>${availability(one)}</p>
        ${one.description ? html`<p class="description">${one.description}</p>` : nothing}
        ${one.stock > 0
          ? html`<div class="buy">
              ${stepper({ value: quantity.value, most: Math.min(one.stock, QUANTITY_AT_MOST), name: one.name, set: (next) => (quantity.value = next) })}
              <button class="button wide" @click=${() => put(one)}>${icon("shopping-bag")}Add to cart</button>
            </div>`
          : html`<div class="buy"><button class="button wide" disabled>Sold out</button></div>
              <p class="quiet-text">It may come back: products are restocked now and then.</p>`}
        <ul class="promises">
          <li>${icon("package")}Stock is set aside the moment you order</li>
          <li>${icon("clock")}Follow your order live, from placed to delivered</li>
          <li>${icon("circle-check")}Cancel any time until it is shipped</li>
        </ul>
      </div>
    </div>
    ${alike.value.length === 0 ? nothing : html`<section aria-labelledby="alike"><h2 id="alike">More of this kind</h2><ul class="grid">${alike.value.map((other) => card(other))}</ul></section>`}
  </div>`;

  return {
    title: () => (shown.value === null ? "Not found" : (shown.value?.name ?? "Product")),
    ready,
    view: () => {
      const one = shown.value;
      if (one === null) {
        return empty({
          heading: "This product is not for sale any more",
          text: "Or the link to it is mistyped.",
          sign: "package-x",
          action: html`<a class="button" href="/find">See everything</a>`,
        });
      }
      if (one !== undefined) return found(one);
      if (failure.value === undefined) return html`<div class="inner"><h1 class="unseen">Loading the product</h1><div class="crumbs bone short"></div>${skeleton}</div>`;
      return failure.value instanceof Refused
        ? empty({ heading: "The product did not come", text: explain(failure.value), action: html`<button class="button" @click=${load}>Try again</button>` })
        : unreachable(load, 1);
    },
  };
};
