// Products: lists, search, suggestions, one of them.

import { Refused, ask } from "./api.js";

/** @typedef {import("./api.js").Schemas["Product"]} Product */
/**
 * @typedef {object} Query
 * @property {string} [q]
 * @property {string} [category]
 * @property {string} [min]
 * @property {string} [max]
 * @property {boolean} [inStock]
 * @property {string} [sort] `relevance` (of a search), `newest`, `name` (of a list), `price` or `-price`
 * @property {string | undefined} [cursor]
 */
/**
 * A product as lists show it: what a search has found says whether it is in stock, and not how many there are.
 *
 * @typedef {Pick<Product, "id" | "name" | "price" | "currency" | "category" | "image_url"> & { stock?: number, in_stock?: boolean }} Shown
 */
/** @typedef {{ products: Shown[], cursor: string | undefined, total?: number | undefined }} Found */

/** As many products as a page of a list has. */
export const PAGE = 24;

/** @type {Map<string, Product>} */
const known = new Map();

/** @param {Product[]} products */
function remember(products) {
  for (const product of products) known.set(product.id, product);
  return products;
}

/** @param {Record<string, string | number | boolean | undefined>} values */
function query(values) {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== "" && value !== false) given.set(name, String(value));
  }
  const text = given.toString();
  return text === "" ? "" : `?${text}`;
}

/**
 * @param {{ category?: string | undefined, sort?: string | undefined, cursor?: string | undefined, limit?: number }} [options]
 * @returns {Promise<{ products: Product[], cursor: string | undefined }>}
 */
export async function list({ category, sort, cursor, limit = PAGE } = {}) {
  const { data } = await ask("GET", `/products${query({ category, sort, cursor, limit })}`, { open: true });
  return { products: remember(data.data), cursor: data.next_cursor ?? undefined };
}

/**
 * @param {Query & { limit?: number }} wanted
 * @param {AbortSignal} [signal]
 */
async function search({ q, category, min, max, inStock, sort, cursor, limit = PAGE }, signal) {
  const asked = query({ q, category, min_price: min, max_price: max, in_stock: inStock, sort, limit, cursor });
  return (await ask("GET", `/search${asked}`, { open: true, signal })).data;
}

/**
 * @param {Query} wanted
 * @param {AbortSignal} [signal]
 * @returns {Promise<Found>}
 */
export async function find(wanted, signal) {
  const { q, category, min, max, inStock, sort, cursor } = wanted;
  // The catalogue's own lists know categories and the order of names, and are kept by caches for longer.
  if (!(q || min || max || inStock)) return list({ category, sort, cursor });
  const { data, next_cursor, total } = await search(wanted, signal);
  return { products: data, cursor: next_cursor ?? undefined, total };
}

/**
 * What somebody who types this may mean.
 *
 * @param {string} q
 * @param {AbortSignal} [signal]
 * @returns {Promise<{ id: string, name: string }[]>}
 */
export async function suggest(q, signal) {
  const { data } = await ask("GET", `/search/suggestions${query({ q })}`, { open: true, signal });
  return data.data.map((/** @type {{ product_id: string, text: string }} */ one) => ({ id: one.product_id, name: one.text }));
}

/**
 * The largest categories, each with a picture where one of the newest products has one.
 *
 * @returns {Promise<{ name: string, image_url: string | null | undefined }[]>}
 */
export async function categories() {
  /** @type {{ data: Shown[], facets: { categories: { category: string }[] } }} */
  const { data, facets } = await search({ limit: 100 });
  const of = (/** @type {string} */ name) => data.find((one) => one.category === name && one.image_url);
  return facets.categories
    .map(({ category }) => ({ name: category, image_url: of(category)?.image_url }))
    .sort((a, b) => a.name.localeCompare(b.name));
}

/**
 * What is known of a product without asking: old, but good to begin with.
 *
 * @param {string} id
 */
export const remembered = (id) => known.get(id);

/**
 * A product as it is now; `undefined` where there is none of that id.
 *
 * @param {string} id
 * @returns {Promise<Product | undefined>}
 */
export async function product(id) {
  try {
    const { data } = await ask("GET", `/products/${encodeURIComponent(id)}`, { open: true });
    known.set(id, data);
    return data;
  } catch (error) {
    if (!(error instanceof Refused) || (error.status !== 404 && error.status !== 422)) throw error;
    known.delete(id);
    return undefined;
  }
}
