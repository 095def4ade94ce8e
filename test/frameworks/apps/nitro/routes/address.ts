import { defineHandler, getRequestIP } from "nitro/h3";

export default defineHandler((event) => String(getRequestIP(event)));
