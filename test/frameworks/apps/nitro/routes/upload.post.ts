import { defineHandler } from "nitro/h3";
import { uploaded } from "../../shared/parts.js";

export default defineHandler(async (event) => uploaded(await event.req.formData()));
