import { defineHandler, getQuery } from "nitro/h3";

export default defineHandler((event) => ({ query: getQuery(event) }));
