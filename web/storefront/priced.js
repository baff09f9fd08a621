// The lines of the cart with what the catalogue says of them now.

import { batch, effect, signal } from "../vendor/lit.js";
import { product as read, remembered } from "../shared/catalogue.js";
import { major, minor } from "../shared/money.js";
import { lines } from "./cart.js";

/** @typedef {import("../shared/catalogue.js").Product} Product */
/** @typedef {{ id: string, quantity: number, product: Product | null | undefined }} Priced `null`: there is none any more */

const AT_ONCE = 6;

/** @type {import("../vendor/lit.js").Signal<Map<string, Product | null>>} */
const products = signal(new Map());
export const failure = signal(/** @type {unknown} */ (undefined));

/** Asks for all products of the cart; what was known before is shown meanwhile. */
export async function refresh() {
  const ids = lines.peek().map(({ id }) => id);
  products.value = new Map(ids.map((id) => [id, products.peek().get(id) ?? remembered(id)]).filter(isKnown));
  /** @type {Map<string, Product | null>} */
  const found = new Map();
  const waiting = [...ids];
  const worker = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) found.set(id, (await read(id)) ?? null);
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    batch(() => {
      // Another one may have asked meanwhile for what was not in the cart yet.
      products.value = new Map([...products.peek(), ...found]);
      failure.value = undefined;
    });
  } catch (error) {
    failure.value = error;
  }
}

/** Asks now, and when another tab puts something in. */
export function follow() {
  const ready = refresh();
  const asked = lines.peek();
  const leave = effect(() => {
    if (lines.value !== asked && lines.value.some(({ id }) => !products.peek().has(id))) void refresh();
  });
  return { ready, leave };
}

/**
 * Takes prices that the API told with a refusal: they are newer than what a cache may still answer.
 *
 * @param {{ product_id: string, price: number }[]} items
 */
export function reprice(items) {
  const next = new Map(products.peek());
  for (const { product_id, price } of items) {
    const known = next.get(product_id);
    if (known) next.set(product_id, { ...known, price });
  }
  products.value = next;
}

/** @param {(string | Product | null | undefined)[]} entry @returns {entry is [string, Product]} */
const isKnown = (entry) => entry[1] !== undefined;

/** @returns {Priced[]} */
export const priced = () => lines.value.map((line) => ({ ...line, product: products.value.get(line.id) }));

/**
 * What stands in the way of ordering a line.
 *
 * @param {Priced} line
 */
export function obstacle({ product, quantity }) {
  if (product === null) return "Not for sale any more";
  if (product === undefined) return undefined;
  if (product.stock <= 0) return "Sold out";
  return product.stock < quantity ? `Only ${product.stock} left` : undefined;
}

/**
 * The sums, by currency: an order is in one.
 *
 * @param {Priced[]} all
 */
export function totals(all) {
  /** @type {Map<string, number>} */
  const sums = new Map();
  for (const { product, quantity } of all) {
    if (!product) continue;
    sums.set(product.currency, (sums.get(product.currency) ?? 0) + minor(Number(product.price), product.currency) * quantity);
  }
  return [...sums].map(([currency, units]) => ({ currency, amount: major(units, currency) }));
}

/** @param {Product} product @param {number} quantity */
export const lineTotal = (product, quantity) =>
  major(minor(Number(product.price), product.currency) * quantity, product.currency);
