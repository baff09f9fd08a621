// Orders as this page last saw them, so that one that was just placed is shown at once.

/** @typedef {import("../shared/api.js").Schemas["Order"]} Order */

/** @type {Map<string, Order>} */
const seen = new Map();

/** @param {Order} order */
export const learn = (order) => void seen.set(order.id, order);

/** @param {string} id */
export const lastSeen = (id) => seen.get(id);
