import { serve } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import { serveStatic } from "@hono/node-server/serve-static";
import { createApp } from "./shared/hono-app.js";

serve({ fetch: createApp(getConnInfo, serveStatic).fetch, port: Number(process.env.PORT) });
