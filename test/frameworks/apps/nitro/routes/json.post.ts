import { defineHandler, readBody } from "nitro/h3";

export default defineHandler(async (event) => ({ body: await readBody(event) }));
