import { getConnInfo, serveStatic } from "hono/bun";
import { createApp } from "./shared/hono-app.js";

export default createApp(getConnInfo, serveStatic);
