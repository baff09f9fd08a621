// Placing an order once, whatever happens to the page, the network or the patience of who clicks.
//
// A checkout is one attempt with one Idempotency-Key, written down before the first request and forgotten only when an
// order has come of it. Bodies whose answer never came are written down beside it. When the API says that the key took
// effect with another body, one of those has arrived after all, and sending it again shows its order.

import { Refused, SessionOver, ask } from "../shared/api.js";
import { user } from "../shared/session.js";
import { local } from "../shared/storage.js";
import { clear, isStill } from "./cart.js";
import { keepToken } from "./own-orders.js";

/** @typedef {import("../shared/api.js").Schemas["Order"]} Order */
/** @typedef {{ key: string, who: string | null, unanswered: string[] }} Attempt */

const KEY = "checkout";

/** @returns {Attempt} */
function attempt() {
  const who = user.peek()?.id ?? null;
  const kept = /** @type {any} */ (local.read(KEY));
  // Keys are each user's own: who signs in meanwhile begins anew.
  if (typeof kept?.key === "string" && kept.who === who && Array.isArray(kept.unanswered)) return kept;
  return { key: crypto.randomUUID(), who, unanswered: [] };
}

/** Whether an order was sent, and nobody knows what became of it. */
export const isUnanswered = () => attempt().unanswered.length > 0;

/**
 * @param {string} key
 * @param {string} body
 * @returns {Promise<Order>}
 */
const send = async (key, body) => (await ask("POST", "/orders", { body: JSON.parse(body), key })).data;

/** Another tab has ordered what was in the cart, or changed it, since this one was looked at. */
export class CartChanged extends Error {}

/**
 * Places the order, or finds the one that this attempt has placed before.
 *
 * @param {{ items: { product_id: string, quantity: number }[] } & Record<string, unknown>} request the body of `POST /orders`
 * @returns {Promise<{ order: Order, earlier: boolean }>} `earlier`: it is another order than this request's
 */
export async function place(request) {
  const asked = user.peek()?.id;
  const attempted = async () => {
    if (asked !== user.peek()?.id) throw new SessionOver();
    if (!isStill(request.items)) throw new CartChanged();
    const body = JSON.stringify(request);
    const { key, who, unanswered } = attempt();
    const before = unanswered.filter((one) => one !== body);
    local.write(KEY, { key, who, unanswered: [...before, body] });
    try {
      return finish(await send(key, body), false);
    } catch (error) {
      if (error instanceof Refused && error.code === "idempotency_key_reused") {
        for (const one of before) {
          const order = await send(key, one).catch((failure) => {
            if (!(failure instanceof Refused)) throw failure;
            return undefined;
          });
          if (order !== undefined) return finish(order, true);
        }
        // Nobody knows any more what it was: begin anew.
        local.write(KEY, undefined);
        throw error;
      }
      // What was refused took no effect; of what was not answered, or with a 500, we do not know.
      if (error instanceof SessionOver) local.write(KEY, { key, who, unanswered });
      else if (error instanceof Refused && error.status < 500) local.write(KEY, { key, who, unanswered: before });
      throw error;
    }
  };
  // One tab at a time: the other one finds an empty cart. Where cookies are blocked, tabs share no cart.
  return navigator.locks.request("checkout", attempted).catch((error) => {
    if (error instanceof DOMException) return attempted();
    throw error;
  });
}

/** @param {Order} order @param {boolean} earlier */
function finish(order, earlier) {
  if (order.order_token) keepToken(order.id, order.order_token);
  local.write(KEY, undefined);
  if (!earlier) clear();
  return { order, earlier };
}
