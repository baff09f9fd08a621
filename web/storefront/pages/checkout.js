import { effect, html, nothing, signal } from "../../vendor/lit.js";
import { say, show } from "../../shared/announce.js";
import { Refused, SessionOver, Unreachable, ask, explain } from "../../shared/api.js";
import { icon } from "../../shared/icons.js";
import { money } from "../../shared/money.js";
import { go } from "../../shared/router.js";
import { user } from "../../shared/session.js";
import { tab } from "../../shared/storage.js";
import { count } from "../cart.js";
import { learn } from "../own-orders.js";
import { picture } from "../parts.js";
import { empty, field, focusMistake, notice, unreachable } from "../../shared/parts.js";
import { CartChanged, isUnanswered, place } from "../place.js";
import { follow, failure as unread, lineTotal, obstacle, priced, refresh, reprice, totals } from "../priced.js";

/** @typedef {import("../priced.js").Priced} Priced */
/** @typedef {{ name: string, was: string, is: string }} Change */

/** What was typed, over a reload. */
const EMAIL = "checkout.email";

/** @type {import("../../shared/router.js").Setup} */
export const checkout = () => {
  const placing = signal(false);
  const problem = signal(/** @type {unknown} */ (undefined));
  const changes = signal(/** @type {Change[]} */ ([]));
  const waits = signal(false);
  const me = signal(/** @type {{ id: string, email: string } | undefined} */ (undefined));
  const kept = tab.read(EMAIL);
  const { ready, leave } = follow();

  const forgetUser = effect(() => {
    if (user.value !== null) void ask("GET", "/users/me").then(({ data }) => (me.value = data), () => undefined);
    waits.value = isUnanswered();
  });

  /** @param {Refused} refusal @param {Priced[]} before */
  function explainPrices(refusal, before) {
    const { items = [], currency } = refusal.problem.current ?? {};
    reprice(items);
    changes.value = items.flatMap((/** @type {{ product_id: string, price: number }} */ now) => {
      const old = before.find(({ id }) => id === now.product_id)?.product;
      if (!old || Number(old.price) === now.price) return [];
      return [{ name: old.name, was: money(Number(old.price), old.currency), is: money(now.price, currency) }];
    });
    say("Prices have changed. Look at the new total before you order.");
  }

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    // A second click while the first is on its way is the same wish.
    if (placing.peek()) return;
    const form = /** @type {HTMLFormElement} */ (event.target);
    const email = String(new FormData(form).get("email") ?? "").trim();
    const before = priced();
    const [sum] = totals(before);
    if (sum === undefined) return;
    placing.value = true;
    problem.value = undefined;
    changes.value = [];
    try {
      const { order, earlier } = await place({
        items: before.map(({ id, quantity, product }) => ({ product_id: id, quantity, price: product?.price })),
        total_amount: sum.amount,
        currency: sum.currency,
        ...(user.peek() === null && email !== "" && { email }),
      });
      learn(order);
      tab.write(EMAIL, undefined);
      if (earlier) show({ text: "Your earlier order had arrived after all. This is it." });
      // The way back leads to the cart, and not to a checkout that is over.
      await go(`/o/${encodeURIComponent(order.id)}`, { replace: true });
    } catch (error) {
      waits.value = isUnanswered();
      if (error instanceof CartChanged) show({ text: "Your cart was changed in another tab. Look at it before you order." });
      else if (error instanceof Refused && error.code === "price_mismatch") explainPrices(error, before);
      else {
        problem.value = error;
        if (error instanceof Refused && error.code === "unknown_product") await refresh();
        if (error instanceof Refused && error.about("/email")) focusMistake(form);
      }
    } finally {
      placing.value = false;
    }
  }

  /** @param {Priced} line */
  const row = ({ id, quantity, product }) => html`<li class="line small">
    ${product ? picture(product) : html`<span class="picture"></span>`}
    <span class="line-text"><span class="name">${product?.name ?? id}</span><span class="quiet-text">${quantity} × ${product ? money(Number(product.price), product.currency) : ""}</span></span>
    <span class="line-price">${product ? money(lineTotal(product, quantity), product.currency) : nothing}</span>
  </li>`;

  function who() {
    if (user.value === undefined) return html`<div class="skeleton"><span class="bone"></span></div>`;
    if (user.value !== null) return html`<p>${icon("user")} Signed in${me.value?.id === user.value.id ? html` as <strong>${me.value.email}</strong>` : nothing}.</p>`;
    const wrong = problem.value instanceof Refused ? problem.value.about("/email") : undefined;
    return html`${field({
        name: "email",
        label: "E-mail",
        type: "email",
        autocomplete: "email",
        value: typeof kept === "string" ? kept : "",
        hint: "For the confirmation, and for nothing else.",
        mistake: wrong?.detail,
      })}
      <p class="quiet-text">Have an account? <a href="/sign-in?next=/checkout">Sign in</a>, and the order is kept there.</p>`;
  }

  function troubles() {
    const error = problem.value;
    return html`${changes.value.length > 0
      ? notice("bad", html`<p><strong>Prices have changed meanwhile.</strong> Nothing was ordered yet.</p>
          <ul>${changes.value.map(({ name, was, is }) => html`<li>${name}: <span class="unseen">it was</span> <s>${was}</s> <span class="unseen">and is now</span> <strong>${is}</strong></li>`)}</ul>`)
      : nothing}
    ${error === undefined || (error instanceof Refused && error.about("/email"))
      ? nothing
      : notice("bad", error instanceof SessionOver ? html`Your session is over, and nothing was ordered. <a href="/sign-in?next=/checkout">Sign in</a>, or give an e-mail address.` : error instanceof Unreachable ? "We do not know whether your order arrived. Try again: it will be one order." : explain(error))}
    ${waits.value && error === undefined ? notice("info", "An order was sent from here, and its answer did not come. Place it again: it will be one order.") : nothing}`;
  }

  return {
    title: () => "Checkout",
    ready,
    leave() {
      leave();
      forgetUser();
    },
    view: () => {
      const all = priced();
      if (all.length === 0) {
        return empty({
          heading: "There is nothing to order",
          text: "Your cart is empty. If you have just ordered, your order is in the list of your orders.",
          sign: "shopping-bag",
          action: html`<p class="actions"><a class="button" href="/find">Look around</a><a class="button quiet" href="/account/orders">Your orders</a></p>`,
        });
      }
      if (unread.value !== undefined && all.some(({ product }) => product === undefined)) return unreachable(refresh, 1);
      const sums = totals(all);
      const isBlocked = sums.length !== 1 || all.some((line) => obstacle(line) !== undefined || !line.product);
      const sum = sums[0];
      return html`<div class="inner">
        <nav class="crumbs" aria-label="Where you are"><a href="/cart">Cart</a> <span aria-hidden="true">/</span> <span>Checkout</span></nav>
        <h1>Checkout</h1>
        <form class="two" @submit=${submit} @input=${(/** @type {Event} */ event) => {
          const { name, value } = /** @type {HTMLInputElement} */ (event.target);
          if (name === "email") tab.write(EMAIL, value);
        }}>
          <div class="stack">
            <section class="panel" aria-labelledby="who"><h2 id="who">Who orders</h2>${who()}</section>
            <section class="panel" aria-labelledby="what"><h2 id="what">What you order</h2>
              <ul class="lines">${all.map(row)}</ul>
              <p><a href="/cart">Change the cart</a></p></section>
          </div>
          <aside class="summary" aria-label="Total">
            <p class="row"><span>${count.value} ${count.value === 1 ? "item" : "items"}</span><span>${sum ? money(sum.amount, sum.currency) : nothing}</span></p>
            <p class="row total"><span>Total</span><strong>${sum ? money(sum.amount, sum.currency) : nothing}</strong></p>
            ${troubles()}
            ${isBlocked && all.every(({ product }) => product !== undefined) ? notice("bad", html`Some of this cannot be ordered as it is. <a href="/cart">See the cart</a>`) : nothing}
            <button class="button wide" ?disabled=${isBlocked || user.value === undefined} aria-disabled=${placing.value ? "true" : "false"}>
              ${placing.value ? html`<span class="spinner" aria-hidden="true"></span>Placing the order` : "Place order"}</button>
            <p class="quiet-text">This shop takes no payment yet: nothing is charged.</p>
          </aside>
        </form>
      </div>`;
    },
  };
};
