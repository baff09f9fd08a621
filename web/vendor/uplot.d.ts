// Made by vendor.mjs.
export { default as uPlot } from "uplot";
