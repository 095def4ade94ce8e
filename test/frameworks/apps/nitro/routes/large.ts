import { defineHandler } from "nitro/h3";
import { large, measure } from "../../shared/parts.js";

export default defineHandler((event) => {
  return event.req.method === "POST" ? measure(event.req.body) : large;
});
