// The storefront: its pages, and the frame around them.

import { effect, html, render } from "../vendor/lit.js";
import { address, go, page, start } from "../shared/router.js";
import { resume, user } from "../shared/session.js";
import { frame } from "./frame.js";
import { home } from "./pages/home.js";
import { notFound } from "./parts.js";

/**
 * A page that is fetched when it is opened first. After a deployment its file is gone: a reload then has the new ones.
 *
 * @template {string} Name
 * @param {() => Promise<Record<Name, import("../shared/router.js").Setup>>} module
 * @param {Name} name
 * @returns {import("../shared/router.js").Setup}
 */
const later = (module, name) => async (params, url) => {
  const loaded = await module().catch(() => undefined);
  if (loaded !== undefined) return loaded[name](params, url);
  if (navigator.onLine) location.assign(url);
  return {
    title: () => "Not loaded",
    view: () => html`<div class="empty"><h1>This page could not be loaded</h1><p>Check your connection, and try again.</p>
      <a class="button" href=${url.pathname + url.search}>Try again</a></div>`,
  };
};
const find = () => import("./pages/find.js");
const product = () => import("./pages/product.js");
const cart = () => import("./pages/cart.js");
const checkout = () => import("./pages/checkout.js");
const order = () => import("./pages/order.js");
const entry = () => import("./pages/entry.js");
const account = () => import("./pages/account.js");

const app = /** @type {HTMLElement} */ (document.getElementById("app"));
effect(() => {
  const shown = page.value;
  if (shown === undefined) return;
  document.title = shown.title() === "" ? "Shop" : `${shown.title()} · Shop`;
  render(frame(shown.view(), address.value), app);
});

let who = user.peek();
effect(() => {
  const isOther = who !== user.value && (who !== undefined || user.value === null);
  who = user.value;
  // Another tab may have let somebody else in: what is one person's begins anew.
  if (isOther && /^\/(o\/|account(\/orders)?\/?$)/.test(location.pathname)) void go(location.href, { replace: true, stay: true });
});

void resume();
await start(
  {
    "/": home,
    "/find": later(find, "find"),
    "/p/:id": later(product, "product"),
    "/cart": later(cart, "cart"),
    "/checkout": later(checkout, "checkout"),
    "/o/:id": later(order, "order"),
    "/sign-in": later(entry, "signInPage"),
    "/register": later(entry, "registerPage"),
    "/account": later(account, "account"),
    "/account/orders": later(order, "orders"),
    "/account/confirm": later(entry, "confirmPage"),
    "/account/password": later(entry, "passwordPage"),
  },
  notFound,
);

// Whoever looks around will buy: the next pages are here before they are asked for.
setTimeout(() => void Promise.allSettled([find(), product(), cart(), checkout(), order()]), 1500);
