import { defineHandler } from "nitro/h3";
import { waiting } from "../../shared/parts.js";

export default defineHandler((event) => new Response(waiting(event.req.signal)));
